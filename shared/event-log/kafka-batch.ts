import type { Message } from 'kafkajs'
import type { NewRecord } from './event-log.ts'

/** kafkajs copies a partition's messages once for each of them, so its cost rises with the square of a batch. */
const BATCH_RECORDS_MAX = 2000
/** kafkajs makes one record batch of a partition's messages, and brokers refuse those above 1 MiB by default. */
const PARTITION_BYTES_MAX = 900_000
/** A batch that waits for the broker is closed after this, so that its records expire at about the same time. */
const BATCH_AGE_MAX_MS = 1000
/** Lengths, attributes and offset of one record in a record batch, at most. */
const RECORD_OVERHEAD_BYTES = 40

/** Where a record goes, as the brokers name it. */
export type Place = { readonly topic: string; readonly partition: number }

/** The records that one produce request carries, for every append that came before it was sent. */
export class KafkaBatch {
  /** Settles with the request. */
  readonly sent: Promise<void>
  readonly #settle: { resolve(): void; reject(error: unknown): void }
  readonly #openedAt = performance.now()
  readonly #topics = new Map<string, { readonly messages: Message[]; readonly partitionBytes: number[] }>()
  #records = 0
  #bytes = 0

  constructor() {
    let settle: { resolve(): void; reject(error: unknown): void } | undefined
    this.sent = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    if (settle === undefined) throw new Error('a promise runs its executor at once')
    this.#settle = settle
  }

  get records(): number {
    return this.#records
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes a record in, unless the batch is full; a record alone is never too large. */
  add(record: NewRecord, place: Place): boolean {
    const { topic, partition } = place
    const bytes = Buffer.byteLength(record.value) + Buffer.byteLength(record.key) + RECORD_OVERHEAD_BYTES
    let entry = this.#topics.get(topic)
    const there = entry?.partitionBytes[partition] ?? 0
    if (this.#records >= BATCH_RECORDS_MAX || (there > 0 && there + bytes > PARTITION_BYTES_MAX)) return false
    if (this.#records > 0 && performance.now() - this.#openedAt > BATCH_AGE_MAX_MS) return false
    if (entry === undefined) {
      entry = { messages: [], partitionBytes: [] }
      this.#topics.set(topic, entry)
    }
    entry.messages.push({ key: record.key, value: asMessageValue(record.value), partition })
    entry.partitionBytes[partition] = there + bytes
    this.#records += 1
    this.#bytes += bytes
    return true
  }

  topicMessages(): { topic: string; messages: Message[] }[] {
    return [...this.#topics].map(([topic, { messages }]) => ({ topic, messages }))
  }

  resolve(): void {
    this.#settle.resolve()
  }

  reject(error: unknown): void {
    this.#settle.reject(error)
  }
}

function asMessageValue(value: string | Uint8Array): string | Buffer {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

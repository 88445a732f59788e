import type { NewRecord } from './event-log.ts'
import { RECORD_OVERHEAD_BYTES_MAX, RecordBatchWriter } from './kafka-record-batch.ts'

/** What one produce request carries: enough to share its cost among many appends, little enough to be answered soon. */
const BATCH_RECORDS_MAX = 20_000
const BATCH_BYTES_MAX = 8 * 1024 * 1024
/** A partition's part is one record batch, and brokers refuse those above 1 MiB by default. */
const PARTITION_BYTES_MAX = 1_000_000
/** A batch that waits for the broker is closed after this, so that its records expire at about the same time. */
const BATCH_AGE_MAX_MS = 1000

/** Where a record goes, as the brokers name it. */
export type Place = { readonly topic: string; readonly partition: number }

/** A partition's part of a produce request, as `RecordBatchWriter` makes it. */
export type PreparedBatch = Place & { readonly bytes: Buffer }

/** The records that one produce request carries, for every append that came before it was sent. */
export class KafkaBatch {
  /** Settles with the request. */
  readonly sent: Promise<void>
  readonly #settle: { resolve(): void; reject(error: unknown): void }
  readonly #openedAt = performance.now()
  /** By topic, then by partition. */
  readonly #topics = new Map<string, RecordBatchWriter[]>()
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
    const keyBytes = Buffer.byteLength(record.key)
    const valueBytes = Buffer.byteLength(record.value)
    const bytes = keyBytes + valueBytes + RECORD_OVERHEAD_BYTES_MAX
    let writers = this.#topics.get(place.topic)
    let writer = writers?.[place.partition]
    if (this.#records > 0 && this.#isFull(bytes)) return false
    if (writer !== undefined && writer.byteLength + bytes > PARTITION_BYTES_MAX) return false
    if (writers === undefined) {
      writers = []
      this.#topics.set(place.topic, writers)
    }
    if (writer === undefined) {
      writer = new RecordBatchWriter()
      writers[place.partition] = writer
    }
    writer.add(record.key, keyBytes, record.value, valueBytes)
    this.#records += 1
    this.#bytes += bytes
    return true
  }

  /** Closes the batch: its parts, with the present as the time of their records. */
  finish(): PreparedBatch[] {
    const now = Date.now()
    const prepared: PreparedBatch[] = []
    for (const [topic, writers] of this.#topics) {
      // Partitions without records are holes in the array, which forEach leaves out.
      writers.forEach((writer, partition) => prepared.push({ topic, partition, bytes: writer.finish(now) }))
    }
    return prepared
  }

  resolve(): void {
    this.#settle.resolve()
  }

  reject(error: unknown): void {
    this.#settle.reject(error)
  }

  #isFull(moreBytes: number): boolean {
    return (
      this.#records >= BATCH_RECORDS_MAX ||
      this.#bytes + moreBytes > BATCH_BYTES_MAX ||
      performance.now() - this.#openedAt > BATCH_AGE_MAX_MS
    )
  }
}

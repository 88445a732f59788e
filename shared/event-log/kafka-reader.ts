import type { LogRecord } from './event-log.ts'
import { PartitionBuffer, type FetchedBatch } from './kafka-buffer.ts'
import { Wakeups } from './wakeups.ts'

/** Above this much unread, kafkajs fetches no more for the partition. */
const BUFFER_RECORDS_MAX = 10_000
const BUFFER_BYTES_MAX = 8 * 1024 * 1024

/** Steers what kafkajs fetches for one partition. */
export type FetchControl = {
  seek(offset: number): void
  pause(): void
  resume(): void
}

/** Lets one reader at a time pull what kafkajs pushes; kafkajs is paused while too much is unread. */
export class KafkaReader {
  readonly #control: FetchControl
  readonly #lost: AbortSignal
  readonly #buffer = new PartitionBuffer()
  readonly #arrivals = new Wakeups()
  #paused = false
  #starving: { readonly sinceMs: number; readonly offset: number } | undefined

  constructor(control: FetchControl, lost: AbortSignal) {
    this.#control = control
    this.#lost = lost
  }

  /** Since when a reader has been waiting for records at `offset`; undefined if none is. */
  get starving(): { readonly sinceMs: number; readonly offset: number } | undefined {
    return this.#starving
  }

  /** False if kafkajs's position is not ours; it has been told to seek then. */
  receive(batch: FetchedBatch): boolean {
    const taken = this.#buffer.receive(batch)
    if (!taken) this.#control.seek(this.#buffer.next)
    this.#regulate()
    if (taken) this.#arrivals.wakeAll()
    return taken
  }

  /** Empty when nothing came within `maxWaitMs`, or the partition was lost. */
  async read(fromOffset: number, maxRecords: number, maxWaitMs: number): Promise<readonly LogRecord[]> {
    const deadline = performance.now() + maxWaitMs
    while (!this.#lost.aborted) {
      const records = this.#buffer.read(fromOffset, maxRecords)
      if (records === undefined) this.#control.seek(fromOffset)
      this.#regulate()
      if (records !== undefined && records.length > 0) {
        this.#starving = undefined
        return records
      }
      if (this.#starving?.offset !== fromOffset) {
        this.#starving = { sinceMs: performance.now(), offset: fromOffset }
      }
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) break
      await this.#arrivals.wait(leftMs, this.#lost)
    }
    return []
  }

  #regulate(): void {
    const { recordCount, bytes } = this.#buffer
    const full = recordCount >= BUFFER_RECORDS_MAX || bytes >= BUFFER_BYTES_MAX
    if (full === this.#paused) return
    this.#paused = full
    if (full) this.#control.pause()
    else this.#control.resume()
  }
}

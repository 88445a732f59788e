import type { LogRecord } from './event-log.ts'

/** What kafkajs delivered: everything the partition has from `fetchedOffset` to `lastOffset`. */
export type FetchedBatch = {
  readonly fetchedOffset: number
  readonly lastOffset: number
  readonly records: readonly LogRecord[]
}

/**
 * The records of one partition between kafkajs, which pushes, and a reader, which pulls.
 *
 * It owns the position: what it holds is always a gapless run, and where kafkajs's own idea of the position
 * differs (after a seek, a rejoin or an error) it must be sent back. Records stay until a read from a later
 * offset, so that the same offset can be read again.
 */
export class PartitionBuffer {
  #records: LogRecord[] = []
  #bytes = 0
  /** The first offset held; undefined until something was fetched or asked for. */
  #from: number | undefined
  #next = 0
  /** Where a batch began that lay ahead of `#next`, and was sent back once. */
  #ahead: number | undefined

  get bytes(): number {
    return this.#bytes
  }

  get recordCount(): number {
    return this.#records.length
  }

  /** The offset that kafkajs must deliver next. */
  get next(): number {
    return this.#next
  }

  /**
   * Takes a fetched batch in; false if it does not continue what is held: then seek to `next`.
   *
   * A batch that lies ahead a second time after such a seek shows a gap of the partition itself (records of
   * transactions, or deleted by retention), and is taken.
   */
  receive(batch: FetchedBatch): boolean {
    if (this.#from === undefined) {
      this.#from = batch.fetchedOffset
      this.#next = batch.fetchedOffset
    }
    if (batch.fetchedOffset > this.#next && this.#ahead !== batch.fetchedOffset) {
      this.#ahead = batch.fetchedOffset
      return false
    }
    if (batch.lastOffset < this.#next) return false
    for (const record of batch.records) {
      if (record.offset < this.#next) continue
      this.#records.push(record)
      this.#bytes += record.value.length
    }
    this.#next = batch.lastOffset + 1
    this.#ahead = undefined
    return true
  }

  /** Records from `fromOffset` on, none if they are still to come; undefined if kafkajs must seek to `next` first. */
  read(fromOffset: number, recordsMax: number): readonly LogRecord[] | undefined {
    if (this.#from === undefined || fromOffset < this.#from || fromOffset > this.#next) {
      this.#records = []
      this.#bytes = 0
      this.#from = fromOffset
      this.#next = fromOffset
      this.#ahead = undefined
      return undefined
    }
    const start = this.#records.findIndex(({ offset }) => offset >= fromOffset)
    const dropped = start < 0 ? this.#records.length : start
    for (const { value } of this.#records.splice(0, dropped)) this.#bytes -= value.length
    this.#from = fromOffset
    return this.#records.slice(0, recordsMax)
  }
}

import type { Stop } from '#shared/runtime/lifecycle.ts'

/** A record to append. Records with the same key keep their order and land on the same partition. */
export type NewRecord = { readonly key: string; readonly value: string | Uint8Array }

/** A record as read. Offsets rise by one within a partition, though some may be missing (transactions, retention). */
export type LogRecord = {
  readonly offset: number
  readonly key: string
  readonly value: Uint8Array
  /** When the log took it, milliseconds since the epoch. */
  readonly appendedAtMs: number
}

/**
 * A consumer group's position on one partition: the offset to read next, and a short text kept with it.
 * A group that never committed is at the first retained offset with an empty text.
 */
export type CommittedPosition = { readonly offset: number; readonly metadata: string }

/**
 * One partition, for as long as this member of the consumer group owns it.
 *
 * Once it is taken away (rebalance, expired session) `lost` aborts, and every method rejects with the
 * AppError `PARTITION_LOST`: nothing this member still does can move the group's position.
 */
export interface AssignedPartition {
  readonly topic: string
  readonly partition: number
  readonly lost: AbortSignal
  committed(): Promise<CommittedPosition>
  /**
   * Up to `maxRecords` records from `fromOffset` on, in order; waits up to `maxWaitMs` for the first one and
   * resolves with an empty list if none came. Any retained offset may be asked for, again and again.
   */
  read(options: {
    readonly fromOffset: number
    readonly maxRecords: number
    readonly maxWaitMs: number
  }): Promise<readonly LogRecord[]>
  /** Moves the group's position, durably. `metadata` is at most 1,000 characters. */
  commit(position: CommittedPosition): Promise<void>
  /** The first offset still retained, and the offset the next record will get: the lag is `end` − position. */
  offsets(): Promise<{ readonly start: number; readonly end: number }>
}

/** Handles one partition until `lost` aborts; returning earlier or rejecting is a failure of the consumer. */
export type PartitionHandler = (partition: AssignedPartition) => Promise<void>

export type ConsumeOptions = {
  readonly topic: string
  readonly group: string
  readonly handle: PartitionHandler
  /** Called at most once, when the consumer cannot go on; the process should end and be started again. */
  readonly onFailure: (error: unknown) => void
}

/**
 * The durable log between the services. Two implementations: `kafka://` and `file:`.
 *
 * A group's partitions are spread over its members; each partition has one owner at a time.
 */
export interface EventLog {
  /**
   * Appends all records, and resolves when every one of them is durable. A rejection (AppError
   * `EVENT_LOG_UNAVAILABLE` or `EVENT_LOG_FULL`) means unknown: some may have been appended.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<void>
  /** Resolves when the consumer has joined its group; `Stop` aborts the partitions and waits for the handlers. */
  consume(options: ConsumeOptions): Promise<Stop>
  /** A group's position on every partition of a topic, in order, whichever members own them; moves nothing. */
  positions(of: { readonly topic: string; readonly group: string }): Promise<readonly CommittedPosition[]>
  /** Whether an append would have a chance now; the reason if not. */
  health(): Promise<{ readonly ok: boolean; readonly reason?: string }>
  close(): Promise<void>
}

/** Every way in which something outside this process can let it down. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'EVENT_LOG_UNAVAILABLE'
  | 'EVENT_LOG_FULL'
  | 'PARTITION_LOST'
  | 'CONSUMER_FAILED'
  | 'WAREHOUSE_UNAVAILABLE'
  | 'WAREHOUSE_REFUSED'
  | 'MIGRATION_FAILED'
  | 'ALERT_DELIVERY_FAILED'
  | 'FILE_UNREADABLE'
  | 'SERVICE_FAILED'
  | 'NOT_FOUND'

/**
 * A dependency, or the configuration, let us down.
 *
 * `message` says what was being done and what to do next; `retriable` says whether the same call may
 * work later without any change. Programming errors are plain `Error`s and end the process.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly retriable: boolean

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retriable: boolean }) {
    super(message, { cause: options.cause })
    this.code = code
    this.retriable = options.retriable
  }
}

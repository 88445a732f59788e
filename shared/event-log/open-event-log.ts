import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import type { EventLog } from './event-log.ts'
import { openFileEventLog } from './file-event-log.ts'
import { openKafkaEventLog } from './kafka-event-log.ts'

export type OpenEventLogOptions = {
  readonly log: Logger
  /** How this process calls itself to the broker, such as `keywatch-detector`. */
  readonly clientId: string
}

/**
 * Opens the event log that `config.url` names: `file:PATH` on the local disk, or `kafka://host:port,…`.
 *
 * Its topics are created if they are missing. Throws the AppError `EVENT_LOG_UNAVAILABLE` when the log cannot
 * be reached.
 */
export async function openEventLog(
  config: Config['event_log'],
  options: OpenEventLogOptions,
): Promise<EventLog> {
  return config.url.startsWith('kafka:')
    ? openKafkaEventLog(config, options)
    : openFileEventLog(config, options)
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { configSchema, type Config } from '#shared/config/config.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'

/** The configuration's own type of input, for the part that is the event log. */
export type EventLogSettings = { readonly url: string } & Readonly<Record<string, string | number>>

/** The event log's settings with the defaults of the real configuration. */
export function eventLogConfig(settings: EventLogSettings): Config['event_log'] {
  return configSchema.parse({ event_log: settings, privacy: { recipients: 'plain' } }).event_log
}

export function openTestLog(settings: EventLogSettings): Promise<EventLog> {
  const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
  return openEventLog(eventLogConfig(settings), { log, clientId: 'keywatch-tests' })
}

/** A new directory for a `file:` log. */
export async function temporaryLogDirectory(): Promise<{
  readonly url: string
  readonly remove: () => Promise<void>
}> {
  const directory = await mkdtemp(join(tmpdir(), 'keywatch-log-'))
  return {
    url: `file:${join(directory, 'event-log')}`,
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

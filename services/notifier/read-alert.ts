import { alertSchema, type Alert } from '#shared/domain/alert.ts'
import type { LogRecord } from '#shared/event-log/event-log.ts'

/** The alert that a record of the alert topic holds, or undefined if it holds none. */
export function readAlert(record: LogRecord): Alert | undefined {
  try {
    const parsed = alertSchema.safeParse(JSON.parse(Buffer.from(record.value).toString('utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

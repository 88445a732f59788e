import type { EngineEvent, EventFacts } from '#shared/detection/engine-input.ts'
import { unknownNamesOf } from '#shared/detection/unknown-fields.ts'
import { isUsualMessage } from '#shared/domain/is-usual-message.ts'
import { eventMessageSchema, type EventMessage } from '#shared/domain/log-message.ts'
import type { LogRecord } from '#shared/event-log/event-log.ts'
import { accountStatusOf, factsOf } from '#shared/warehouse/engine-facts.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { lineOf } from '#shared/warehouse/event-store.ts'
import type { RecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { unreadableRow, type RejectedRow } from '#shared/warehouse/rejected-store.ts'

/** What is looked at once more after a row was made; a block is in memory until it is stored, so it is no more. */
type EventIdentity = Pick<
  EventRow,
  'source' | 'key' | 'timestamp' | 'sg_event_id' | 'event' | 'attribution' | 'normalised'
>

/** One record as an event, or as something to keep aside. Nothing that a record holds is a failure. */
export type DecodedRecord =
  | {
      readonly kind: 'event'
      readonly offset: number
      readonly row: EventIdentity
      readonly facts: EventFacts
      /** The whole row, as it is inserted. */
      readonly line: string
      readonly receivedAtMs: number
      /** Of an account's change of state: what SendGrid says happened. */
      readonly accountStatus: string | undefined
      /** Fields and types that look like SendGrid's own and are not known. */
      readonly unknownNames: readonly string[]
    }
  | { readonly kind: 'rejected'; readonly offset: number; readonly row: RejectedRow }

export function decodeRecord(record: LogRecord, partition: number, privacy: RecipientPrivacy): DecodedRecord {
  const position = { partition, offset: record.offset }
  try {
    const message = parse(record.value)
    const row = toEventRow(message, position, privacy)
    return {
      kind: 'event',
      offset: record.offset,
      row: identityOf(row),
      facts: factsOf(row),
      line: lineOf(row),
      receivedAtMs: message.received_at,
      accountStatus: accountStatusOf(message.event),
      unknownNames: unknownNamesOf(message.event),
    }
  } catch (error) {
    // Not JSON, not our message, or nested too deep to look at: kept, counted, and the next record goes on.
    const detail = error instanceof Error ? `${error.name}: not a message of ours` : 'not a message of ours'
    return { kind: 'rejected', offset: record.offset, row: unreadableRow({ ...record, detail }, position) }
  }
}

function parse(value: Uint8Array): EventMessage {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const message: unknown = JSON.parse(bytes.toString('utf8'))
  return isUsualMessage(message) ? message : eventMessageSchema.parse(message)
}

function identityOf(row: EventRow): EventIdentity {
  const { source, key, timestamp, sg_event_id, event, attribution, normalised } = row
  return { source, key, timestamp, sg_event_id, event, attribution, normalised }
}

/** What the engine is given of a stored event. */
export function toEngineEvent(record: Extract<DecodedRecord, { kind: 'event' }>): EngineEvent {
  const { row, facts, receivedAtMs, accountStatus } = record
  return {
    source: row.source,
    key: row.key,
    event: row.event,
    timestamp: row.timestamp,
    receivedAtMs,
    attribution: row.attribution,
    facts,
    ...(accountStatus === undefined ? {} : { accountStatus }),
  }
}

/** A part of the table per day: a block with many days would make many parts, so it is cut before the next one. */
const DAYS_MAX = 60
const DAY_SECONDS = 24 * 3600

/** How many of these records may form one block. */
export function recordsWithinDays(decoded: readonly DecodedRecord[]): number {
  const days = new Set<number>()
  for (const [index, record] of decoded.entries()) {
    if (record.kind !== 'event') continue
    days.add(Math.floor(record.row.timestamp / DAY_SECONDS))
    if (days.size > DAYS_MAX) return index
  }
  return decoded.length
}

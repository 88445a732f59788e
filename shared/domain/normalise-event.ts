import type { RejectedMessage } from './log-message.ts'
import { canonicalJson, isDeeperThan, sha256Hex } from './canonical-json.ts'
import {
  DEPTH_MAX,
  EARLIEST_TIMESTAMP,
  EVENT_BYTES_MAX,
  EVENT_ID,
  fieldKinds,
  FIELDS_MAX,
  FUTURE_SECONDS_MAX,
  isEventType,
  NAME_MAX,
  UNKNOWN_PREFIX,
  type Json,
  type SendgridEvent,
} from './event-shape.ts'
import { isNormalEvent, type FieldTally } from './is-normal-event.ts'
import { cutText } from './normalise-text.ts'
import { isRecord, normaliseField, normaliseValue, type Changes } from './normalise-value.ts'
import { findSchemaFault } from './sendgrid-event.ts'

/** Above this a timestamp is in milliseconds: as seconds it would lie beyond the year 5000. */
const MILLISECONDS_FROM = 1e11
const TYPE_NAME_UNITS_MAX = 64

/**
 * What became of one element of a webhook's array. `normalised` names what had to be changed: fields of SendGrid's,
 * `arguments` for any other field, `fields` where fields were dropped. `unknownFields` counts the fields that
 * are not SendGrid's own, custom arguments included.
 */
export type NormalisedEvent =
  | {
      readonly kind: 'event'
      readonly event: SendgridEvent
      readonly normalised: readonly string[]
      readonly unknownFields: number
    }
  | { readonly kind: 'rejected'; readonly reason: RejectedMessage['reason']; readonly detail: string }

const NOTHING_CHANGED: readonly string[] = []

/**
 * Turns one element into an event that no later step can fail on, keeping every field that there is room for.
 *
 * The event itself is returned when nothing has to be changed, otherwise a copy without a prototype. `receivedAtMs`
 * stands in for a time that is missing or not believable.
 */
export function normaliseEvent(element: unknown, receivedAtMs: number): NormalisedEvent {
  if (!isRecord(element)) {
    return { kind: 'rejected', reason: 'not_an_object', detail: 'the element is not a JSON object' }
  }
  const tally: FieldTally = { unknownFields: 0 }
  if (isNormalEvent(element, Math.floor(receivedAtMs / 1000) + FUTURE_SECONDS_MAX, tally)) {
    return { kind: 'event', event: element, normalised: NOTHING_CHANGED, unknownFields: tally.unknownFields }
  }
  return rebuildEvent(element, receivedAtMs)
}

/** The thorough way, which any event may take; exported for the test that compares it with the quick one. */
export function rebuildEvent(
  element: { readonly [name: string]: unknown },
  receivedAtMs: number,
): NormalisedEvent {
  if (isDeeperThan(element, DEPTH_MAX)) {
    return { kind: 'rejected', reason: 'too_deep', detail: `nested deeper than ${DEPTH_MAX} levels` }
  }
  const { event: type } = element
  if (typeof type !== 'string' || type === '') {
    return { kind: 'rejected', reason: 'schema', detail: findSchemaFault({ event: type }) ?? 'event' }
  }
  const normalised = new Set<string>()
  const name = typeName(type)
  if (name !== type) normalised.add('event')
  const event: SendgridEvent = Object.assign(Object.create(null), {
    event: name,
    sg_event_id: eventId(element, normalised),
    timestamp: eventTimestamp(element['timestamp'], receivedAtMs, normalised),
  })
  const unknownFields = copyFields(element, event, normalised)
  const fault = findSchemaFault(event)
  if (fault !== undefined) return { kind: 'rejected', reason: 'schema', detail: fault.slice(0, 500) }
  return { kind: 'event', event, normalised: [...normalised], unknownFields }
}

/** SendGrid's fields first, so that custom arguments can neither displace them nor use up their room. */
function copyFields(
  element: { readonly [name: string]: unknown },
  event: SendgridEvent,
  normalised: Set<string>,
): number {
  let bytesLeft = EVENT_BYTES_MAX - Buffer.byteLength(JSON.stringify(event))
  let fields = 3
  const add = (name: string, value: Json) => {
    const bytes = Buffer.byteLength(`${JSON.stringify(name)}:${JSON.stringify(value)},`)
    if (fields >= FIELDS_MAX || bytes > bytesLeft || name in event) {
      normalised.add('fields')
      return
    }
    bytesLeft -= bytes
    fields += 1
    event[name] = value
  }
  for (const [name, kind] of fieldKinds) {
    if (kind === 'event' || kind === 'id' || kind === 'timestamp' || !Object.hasOwn(element, name)) continue
    const changes: Changes = { changed: false }
    const value = normaliseField(kind, element[name], changes)
    if (changes.changed) normalised.add(name)
    add(name, value)
  }
  let unknownFields = 0
  for (const name in element) {
    if (fieldKinds.has(name)) continue
    unknownFields += 1
    if (fields >= FIELDS_MAX) {
      normalised.add('fields')
      continue
    }
    const kept = cutText(name, NAME_MAX)
    const changes: Changes = { changed: kept !== name }
    const value = normaliseValue(element[name], changes)
    if (changes.changed) normalised.add('arguments')
    add(kept, value)
  }
  return unknownFields
}

/** A type that SendGrid does not document, marked as such so that it never poses as a known one. */
function typeName(type: string): string {
  if (isEventType(type)) return type
  return UNKNOWN_PREFIX + cutText(type.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ''), TYPE_NAME_UNITS_MAX)
}

/** Where the id is missing or odd, a hash of the event as it came: the same event has the same id again. */
function eventId(element: { readonly [name: string]: unknown }, normalised: Set<string>): string {
  const { sg_event_id: id } = element
  if (typeof id === 'string' && EVENT_ID.test(id)) return id
  normalised.add('sg_event_id')
  return `h:${sha256Hex(canonicalJson(element))}`
}

function eventTimestamp(value: unknown, receivedAtMs: number, normalised: Set<string>): number {
  const receivedAt = Math.floor(receivedAtMs / 1000)
  const number = typeof value === 'string' && /^\s*\d{1,16}\s*$/.test(value) ? Number(value) : value
  if (typeof number === 'number') {
    const seconds = Math.floor(number > MILLISECONDS_FROM ? number / 1000 : number)
    if (seconds >= EARLIEST_TIMESTAMP && seconds <= receivedAt + FUTURE_SECONDS_MAX) {
      if (seconds !== value) normalised.add('timestamp')
      return seconds
    }
  }
  normalised.add('timestamp')
  return receivedAt
}

import {
  CATEGORIES_MAX,
  CATEGORY_UNITS_MAX,
  EARLIEST_TIMESTAMP,
  EVENT_ID,
  EVENT_UNITS_SAFE,
  FIELDS_MAX,
  fieldKinds,
  isEventType,
  NAME_MAX,
  type FieldKind,
  type SendgridEvent,
} from './event-shape.ts'
import { isPlainText } from './normalise-text.ts'

/** What the check counted on its way; valid only when it answered true. */
export type FieldTally = { unknownFields: number }

/** With EVENT_UNITS_SAFE and 20 categories this keeps an event below EVENT_BYTES_MAX, however it is escaped. */
const NESTED_MEMBERS_MAX = 10

/**
 * Whether an event needs no change at all, as nearly all of SendGrid's do.
 *
 * The quick half of normalise-event.ts: it says yes only where the thorough half would return the event unchanged
 * and the schema would accept it (a property test holds it to that), and no whenever that would take a closer
 * look. `latest` is the highest timestamp believed, Unix seconds.
 */
export function isNormalEvent(
  event: { readonly [name: string]: unknown },
  latest: number,
  tally: FieldTally,
): event is SendgridEvent {
  let fields = 0
  let units = 0
  let required = 0
  tally.unknownFields = 0
  for (const name in event) {
    const value = event[name]
    const kind = fieldKinds.get(name)
    fields += 1
    units += name.length
    if (typeof value === 'string') units += value.length
    if (kind === undefined) {
      tally.unknownFields += 1
      if (name.length > NAME_MAX || !name.isWellFormed() || !isNormalScalar(value)) return false
    } else if (kind === 'event' || kind === 'id' || kind === 'timestamp') {
      required += 1
      if (!isNormalRequired(kind, value, latest)) return false
    } else if (value !== null && !isNormalField(kind, value)) {
      return false
    }
  }
  return required === 3 && fields <= FIELDS_MAX && units <= EVENT_UNITS_SAFE
}

function isNormalRequired(kind: 'event' | 'id' | 'timestamp', value: unknown, latest: number): boolean {
  switch (kind) {
    case 'event':
      return typeof value === 'string' && isEventType(value)
    case 'id':
      return typeof value === 'string' && EVENT_ID.test(value)
    case 'timestamp':
      return isSafeInteger(value) && value >= EARLIEST_TIMESTAMP && value <= latest
    default:
      return kind satisfies never
  }
}

function isNormalField(kind: Exclude<FieldKind, 'event' | 'id' | 'timestamp'>, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string' && isPlainText(value)
    case 'integer':
      return isSafeInteger(value)
    case 'number_text':
      return typeof value === 'string' ? isPlainText(value) : isSafeInteger(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'category':
      return isNormalCategory(value)
    case 'nested':
      return isNormalScalar(value) || isFlatObject(value)
    default:
      return kind satisfies never
  }
}

function isNormalScalar(value: unknown): boolean {
  if (typeof value === 'string') return isPlainText(value)
  if (typeof value === 'number')
    return Number.isInteger(value) ? isSafeInteger(value) : Number.isFinite(value)
  return value === null || typeof value === 'boolean'
}

function isSafeInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}

function isNormalCategory(value: unknown): boolean {
  if (typeof value === 'string') return isNormalLabel(value)
  return Array.isArray(value) && value.length <= CATEGORIES_MAX && value.every(isNormalLabel)
}

function isNormalLabel(value: unknown): boolean {
  return typeof value === 'string' && value.length <= CATEGORY_UNITS_MAX && value.isWellFormed()
}

/** `pool`, `url_offset` and `newsletter` as SendGrid sends them: a handful of short members. */
function isFlatObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const members = Object.entries(value)
  return (
    members.length <= NESTED_MEMBERS_MAX &&
    members.every(
      ([name, member]) =>
        isNormalLabel(name) && (typeof member === 'string' ? isNormalLabel(member) : isNormalScalar(member)),
    )
  )
}

/** SendGrid's event types. Any other name is kept as `unknown:NAME`. */
export const eventTypes = [
  'processed',
  'deferred',
  'delivered',
  'bounce',
  'dropped',
  'open',
  'click',
  'spamreport',
  'unsubscribe',
  'group_unsubscribe',
  'group_resubscribe',
  'account_status_change',
] as const
export type EventType = (typeof eventTypes)[number]
const typeNames: ReadonlySet<string> = new Set(eventTypes)

export const UNKNOWN_PREFIX = 'unknown:'

export function isEventType(name: string): name is EventType {
  return typeNames.has(name)
}

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** An event that every later step can store as it is; what normalise-event.ts produces. */
export type SendgridEvent = {
  event: string
  sg_event_id: string
  /** Unix seconds. */
  timestamp: number
  [name: string]: Json
}

/** Longest text of one field in UTF-8; a longer one is cut and ends in its hash. */
export const TEXT_BYTES_MAX = 8192
/** No text of this many UTF-16 units exceeds TEXT_BYTES_MAX, so it need not be measured. */
export const TEXT_UNITS_SAFE = Math.floor(TEXT_BYTES_MAX / 3)
export const FIELDS_MAX = 200
/** Longest field name, UTF-16 units. */
export const NAME_MAX = 256
export const CATEGORIES_MAX = 20
export const CATEGORY_UNITS_MAX = 256
/** Deepest nesting of arrays and objects, the event itself included. JSON.stringify overflows from about 5,000. */
export const DEPTH_MAX = 32
/**
 * Size of one event as JSON. Kafka refuses a record above 1 MiB unless told otherwise, and a record it refuses
 * would be delivered again and refused again for a day.
 */
export const EVENT_BYTES_MAX = 256 * 1024
/** An event whose names and texts add up to this many UTF-16 units needs no measuring: escaped, each takes at most six bytes. */
export const EVENT_UNITS_SAFE = 16_384
/** 2009-01-01: SendGrid was founded that year, so no event is older. Unix seconds. */
export const EARLIEST_TIMESTAMP = 1_230_768_000
/** How far an event may lie in the future before its time is not believed, seconds. */
export const FUTURE_SECONDS_MAX = 86_400
/** SendGrid's ids are at most 100 characters of base64url; anything printable is taken. */
export const EVENT_ID = /^[!-~]{1,200}$/

/**
 * What a known field holds: `number_text` is a number that SendGrid sends as text (or, elsewhere, as a number),
 * `nested` any JSON value.
 */
export type FieldKind =
  'event' | 'id' | 'timestamp' | 'text' | 'integer' | 'number_text' | 'flag' | 'category' | 'nested'

const texts = [
  'email',
  'sg_message_id',
  'smtp-id',
  'response',
  'reason',
  'status',
  'type',
  'bounce_classification',
  'ip',
  'useragent',
  'url',
  'domain',
  'from',
  'sg_content_type',
  'template_id',
  'template_hash',
  'template_version_id',
  'sg_template_id',
  'sg_template_name',
  'marketing_campaign_name',
  'marketing_campaign_version',
  'singlesend_id',
  'singlesend_name',
] as const
const integers = ['send_at', 'asm_group_id', 'tls', 'cert_err'] as const
const numberTexts = ['attempt', 'marketing_campaign_id', 'marketing_campaign_split_id'] as const
const nested = ['pool', 'url_offset', 'newsletter'] as const

/**
 * Every field that SendGrid documents. Whatever else an event has is a custom argument or a field that SendGrid
 * added since: the two cannot be told apart, because custom arguments are flattened to the top level.
 */
export const fieldKinds: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  ['event', 'event'],
  ['sg_event_id', 'id'],
  ['timestamp', 'timestamp'],
  ['category', 'category'],
  ['sg_machine_open', 'flag'],
  ...texts.map((name) => [name, 'text'] as const),
  ...integers.map((name) => [name, 'integer'] as const),
  ...numberTexts.map((name) => [name, 'number_text'] as const),
  ...nested.map((name) => [name, 'nested'] as const),
])

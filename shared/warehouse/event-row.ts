import { createHash } from 'node:crypto'
import { fingerprintOf } from '#shared/domain/event-fingerprint.ts'
import { isEventType, UNKNOWN_PREFIX } from '#shared/domain/event-shape.ts'
import type { EventMessage } from '#shared/domain/log-message.ts'
import { cutText } from '#shared/domain/normalise-text.ts'
import { maskAddresses, maskLink } from './mask-addresses.ts'
import type { RecipientPrivacy } from './recipient-privacy.ts'

/** Columns of `events` in the order in which they are inserted. */
export const eventColumns = [
  'source',
  'key',
  'timestamp',
  'sg_event_id',
  'event',
  'received_at',
  'attribution',
  'sg_message_id',
  'smtp_id',
  'recipient_hash',
  'recipient_domain',
  'recipient',
  'categories',
  'template_id',
  'pool',
  'marketing_campaign_id',
  'asm_group_id',
  'ip',
  'url',
  'useragent',
  'machine_open',
  'reason',
  'status',
  'bounce_type',
  'bounce_classification',
  'attempt',
  'shape',
  'fingerprint',
  'arguments',
  'normalised',
  'log_partition',
  'log_offset',
] as const

/** One row of `events` as JSON: times as ClickHouse reads them, 64-bit hashes as decimal text. */
export type EventRow = {
  readonly source: string
  readonly key: string
  /** Seconds since the epoch. */
  readonly timestamp: number
  readonly sg_event_id: string
  readonly event: string
  /** `YYYY-MM-DD hh:mm:ss.mmm`, UTC. */
  readonly received_at: string
  readonly attribution: string
  readonly sg_message_id: string
  readonly smtp_id: string
  readonly recipient_hash: string
  readonly recipient_domain: string
  readonly recipient: string
  readonly categories: readonly string[]
  readonly template_id: string
  readonly pool: string
  readonly marketing_campaign_id: string
  readonly asm_group_id: number
  readonly ip: string
  readonly url: string
  readonly useragent: string
  readonly machine_open: boolean
  readonly reason: string
  readonly status: string
  readonly bounce_type: string
  readonly bounce_classification: string
  readonly attempt: number
  readonly shape: string
  readonly fingerprint: string
  readonly arguments: string
  readonly normalised: readonly string[]
  readonly log_partition: number
  readonly log_offset: number
}

type Event = EventMessage['event']

const NONE: readonly string[] = []
const TEXT_MAX = 8192
const NAME_MAX = 256
/** SendGrid's ids are at most 100 characters; a longer one is kept as its hash, which is as unique. */
const EVENT_ID_MAX = 256
const CATEGORIES_MAX = 20
const ARGUMENTS_MAX = 65_536
const UINT16_MAX = 65_535
const UINT32_MAX = 4_294_967_295
/** 2100-01-01, milliseconds: the last instant that both DateTime and DateTime64(3) hold with room to spare. */
const INSTANT_MAX = 4_102_444_800_000

/**
 * Turns one log message into one row. Whatever the message holds, ClickHouse can store the row: texts are
 * well-formed and cut, numbers clamped to their column. What no column is for goes to `arguments`.
 *
 * Addresses are masked in free text; the recipient is kept as a keyed hash and a domain (see `privacy`).
 */
export function toEventRow(
  message: EventMessage,
  position: { readonly partition: number; readonly offset: number },
  privacy: RecipientPrivacy,
): EventRow {
  const { event } = message
  const reader = new FieldReader(event)
  const type = eventType(event.event)
  const address = reader.text('email')
  const facts = readFacts(reader, event, privacy)
  return {
    source: cutText(message.source, NAME_MAX),
    key: cutText(message.key, NAME_MAX),
    timestamp: clamp(event.timestamp, UINT32_MAX),
    sg_event_id: eventId(event.sg_event_id),
    event: type,
    received_at: instant(message.received_at),
    attribution: message.attribution.rule,
    sg_message_id: cutText(reader.text('sg_message_id'), NAME_MAX),
    smtp_id: facts.smtp_id,
    recipient_hash: facts.recipient_hash,
    recipient_domain: facts.recipient_domain,
    recipient: privacy.plain ? cutText(address, TEXT_MAX) : '',
    categories: facts.categories,
    template_id: facts.template_id,
    pool: facts.pool,
    marketing_campaign_id: facts.marketing_campaign_id,
    asm_group_id: reader.whole('asm_group_id', UINT32_MAX),
    ip: cutText(reader.text('ip'), NAME_MAX),
    url: facts.url,
    useragent: free(reader.text('useragent')),
    machine_open: facts.machine_open,
    reason: free(reader.text('reason', 'response')),
    status: cutText(reader.text('status'), NAME_MAX),
    // Elsewhere `type` is the sender's own argument or an account event's kind, of which there may be many.
    bounce_type: type === 'bounce' ? cutText(reader.text('type'), NAME_MAX) : '',
    bounce_classification: facts.bounce_classification,
    attempt: reader.whole('attempt', UINT16_MAX),
    shape: fingerprintOf(event).shape,
    fingerprint: facts.fingerprint,
    arguments: reader.rest(),
    normalised: message.normalised?.slice(0, CATEGORIES_MAX).map((name) => cutText(name, NAME_MAX)) ?? NONE,
    log_partition: clamp(position.partition, UINT16_MAX),
    log_offset: clamp(position.offset, Number.MAX_SAFE_INTEGER),
  }
}

/** The columns that the engine learns from (engine-facts.ts). */
export type FactColumns = Pick<
  EventRow,
  | 'smtp_id'
  | 'recipient_hash'
  | 'recipient_domain'
  | 'categories'
  | 'template_id'
  | 'pool'
  | 'marketing_campaign_id'
  | 'url'
  | 'machine_open'
  | 'bounce_classification'
  | 'fingerprint'
>

/** These columns alone, as `toEventRow` would make them, at a fraction of its cost. */
export function toFactColumns(event: Event, privacy: RecipientPrivacy): FactColumns {
  return readFacts(new FieldReader(event), event, privacy)
}

function readFacts(reader: FieldReader, event: Event, privacy: RecipientPrivacy): FactColumns {
  const address = reader.text('email')
  return {
    smtp_id: cutText(reader.text('smtp-id'), TEXT_MAX),
    recipient_hash: address === '' ? '0' : privacy.hash(address),
    recipient_domain: domainOf(address),
    categories: reader.list('category', CATEGORIES_MAX),
    template_id: cutText(reader.text('sg_template_id', 'template_id'), NAME_MAX),
    pool: cutText(reader.pool(), NAME_MAX),
    marketing_campaign_id: cutText(reader.text('marketing_campaign_id', 'singlesend_id'), NAME_MAX),
    url: cutText(maskLink(reader.text('url')), TEXT_MAX),
    machine_open: reader.flag('sg_machine_open'),
    bounce_classification: cutText(reader.text('bounce_classification'), NAME_MAX),
    fingerprint: fingerprintOf(event).fingerprint,
  }
}

/** Event types that SendGrid did not document are marked, so that no sender can pose as a known one. */
function eventType(name: string): string {
  if (isEventType(name)) return name
  const bare = name.startsWith(UNKNOWN_PREFIX) ? name.slice(UNKNOWN_PREFIX.length) : name
  return UNKNOWN_PREFIX + cutText(bare, 64)
}

function eventId(id: string): string {
  const text = id.toWellFormed()
  return text.length <= EVENT_ID_MAX ? text : `h:${createHash('sha256').update(text).digest('hex')}`
}

/** One bit for each field that a column may take, so that what was read is remembered in one number. */
const fieldNames = (
  'event timestamp sg_event_id email sg_message_id smtp-id category sg_template_id template_id pool ' +
  'marketing_campaign_id singlesend_id asm_group_id ip url useragent sg_machine_open reason response status type ' +
  'bounce_classification attempt'
).split(' ')
const fieldBits: ReadonlyMap<string, number> = new Map(
  fieldNames.map((name, place) => [name, 1 << place] as const),
)
const bitOf = (name: string) => fieldBits.get(name) ?? 0
const REQUIRED_BITS = bitOf('event') | bitOf('timestamp') | bitOf('sg_event_id')

/** Reads fields into columns and remembers which; a field of the wrong type is left for `rest`. */
class FieldReader {
  readonly #event: Event
  #read = REQUIRED_BITS

  constructor(event: Event) {
    this.#event = event
  }

  /** The first of these names that holds text. */
  text(name: string, otherwise?: string): string {
    const value = this.#event[name]
    // Ids such as marketing_campaign_id are numbers in SendGrid's own samples.
    const written = typeof value === 'number' ? String(value) : value
    if (typeof written === 'string' && written !== '') {
      this.#read |= bitOf(name)
      return written
    }
    return otherwise === undefined ? '' : this.text(otherwise)
  }

  list(name: string, itemsMax: number): string[] {
    const value = this.#event[name]
    if (typeof value === 'string') {
      this.#read |= bitOf(name)
      return [cutMasked(value)]
    }
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return []
    this.#read |= bitOf(name)
    return value.slice(0, itemsMax).map(cutMasked)
  }

  pool(): string {
    const value = this.#event['pool']
    const name = typeof value === 'object' && value !== null && !Array.isArray(value) ? value['name'] : value
    if (typeof name !== 'string') return ''
    this.#read |= bitOf('pool')
    return name
  }

  /** A whole number, also where it is written as text, as SendGrid does for `attempt`. */
  whole(name: string, maximum: number): number {
    const value = this.#event[name]
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isFinite(number)) return 0
    this.#read |= bitOf(name)
    return clamp(number, maximum)
  }

  flag(name: string): boolean {
    const value = this.#event[name]
    if (typeof value !== 'boolean') return false
    this.#read |= bitOf(name)
    return value
  }

  /** Everything that got no column, as a JSON object; beyond the bound only the number of left-out names is kept. */
  rest(): string {
    let parts = ''
    let length = 2
    let leftOut = 0
    for (const name in this.#event) {
      if ((bitOf(name) & this.#read) !== 0) continue
      const part = `${JSON.stringify(free(name))}:${JSON.stringify(masked(this.#event[name]))}`
      if (length + part.length > ARGUMENTS_MAX) {
        leftOut += 1
        continue
      }
      parts += parts === '' ? part : `,${part}`
      length += part.length + 1
    }
    if (leftOut > 0) parts += `${parts === '' ? '' : ','}"left_out":${leftOut}`
    return `{${parts}}`
  }
}

/** A copy with every text in it masked, cut and well-formed. Depth is bounded where events are accepted. */
function masked(value: unknown): unknown {
  if (typeof value === 'string') return free(value)
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [free(name), masked(inner)]))
  }
  return value
}

function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at === -1 ? '' : cutText(address.slice(at + 1).toLowerCase(), NAME_MAX)
}

let lastInstant = { milliseconds: NaN, text: '' }

/** All events of one request have the same instant, so the last one is remembered. */
function instant(milliseconds: number): string {
  if (lastInstant.milliseconds !== milliseconds) {
    const text = new Date(clamp(milliseconds, INSTANT_MAX)).toISOString().slice(0, 23).replace('T', ' ')
    lastInstant = { milliseconds, text }
  }
  return lastInstant.text
}

/** Masked before it is cut: the cut could part a local part from the `@` that gives it away. */
function free(text: string): string {
  return cutText(maskAddresses(text), TEXT_MAX)
}

function cutMasked(text: string): string {
  return cutText(maskAddresses(text), NAME_MAX)
}

function clamp(value: number, maximum: number): number {
  if (!(value > 0)) return 0
  return Math.min(Math.trunc(value), maximum)
}

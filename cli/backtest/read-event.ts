import type { Config } from '#shared/config/config.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { attributionRulesFor, createAttributor } from '#shared/domain/attribute-event.ts'
import { EARLIEST_TIMESTAMP } from '#shared/domain/event-shape.ts'
import type { EventMessage } from '#shared/domain/log-message.ts'
import { normaliseEvent } from '#shared/domain/normalise-event.ts'
import { isRecord } from '#shared/domain/normalise-value.ts'
import { engineEventOf } from '#shared/warehouse/engine-facts.ts'
import { hashText } from '#shared/detection/statistics/hash-text.ts'
import { createRecipientPrivacy, type RecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'

/** What a line of the file is: an event as the detector would get it, or what is wrong with it. */
export type ReadEvent =
  | {
      readonly kind: 'event'
      readonly event: EngineEvent
      readonly eventId: string
      readonly messageId: string
      /** Its time had to be replaced or converted, so that its id alone tells it from others. */
      readonly undated: boolean
    }
  | { readonly kind: 'bad'; readonly fault: string }

export type EventReader = (value: unknown, clockMs: number) => ReadEvent

/** Where the configuration names no source. */
const DEFAULT_SOURCE = 'default'
const SOURCE_UNITS_MAX = 256
/** Above this a time is in milliseconds. */
const MILLISECONDS_FROM = 1e11

/**
 * Makes the function that does with one parsed line what ingest and the detector do with an event: bounds and
 * normalises it, attributes it by the configuration's rules, and takes its facts.
 *
 * `clockMs` is the arrival of the line before, and no line arrives before it. A line without a time of its own arrives
 * at the same time.
 */
export function createEventReader(config: Pick<Config, 'sources' | 'attribution' | 'privacy'>): EventReader {
  const privacy = privacyOf(config)
  const usualSource = Object.keys(config.sources)[0] ?? DEFAULT_SOURCE
  const attributeFor = createAttributors(config)

  return function readEvent(value, clockMs) {
    if (!isRecord(value)) return bad('the line is not a JSON object')
    const { event: inner } = value
    const isWrapped = isRecord(inner)
    const arrival = isWrapped && value['received_at'] !== undefined ? value['received_at'] : undefined
    const element = isWrapped ? inner : value
    const arrivedMs = arrival === undefined ? eventTimeMs(element['timestamp']) : arrivalMs(arrival)
    if (arrival !== undefined && arrivedMs === undefined) return bad('received_at is not in epoch seconds')
    if (arrivedMs === undefined && clockMs === 0)
      return bad('no event before it has a time, nor has this one')
    const receivedAtMs = Math.max(arrivedMs ?? 0, clockMs)
    const source = isWrapped ? sourceName(value['source'], usualSource) : usualSource
    if (source === undefined) return bad('source is not a name')

    const normal = normaliseEvent(element, receivedAtMs)
    if (normal.kind === 'rejected') return bad(normal.detail)
    const { event } = normal
    // The log's schema drops a member of this name, so the engine never sees it.
    if (Object.hasOwn(event, '__proto__')) delete event['__proto__']
    const { key, attribution } = attributeFor(source)(event)
    const message: EventMessage = { v: 1, key, attribution, source, received_at: receivedAtMs, event }
    const { sg_message_id: messageId } = event
    return {
      kind: 'event',
      event: engineEventOf(message, privacy),
      eventId: event.sg_event_id,
      messageId: typeof messageId === 'string' ? messageId : '',
      undated: normal.normalised.includes('timestamp'),
    }
  }
}

/**
 * Recipients are hashed to be counted, and nothing of it is kept: without a key in the configuration, the live
 * detector's own cannot be had, and a quick hash does.
 */
function privacyOf({ privacy }: Pick<Config, 'privacy'>): RecipientPrivacy {
  if (privacy.hash_key !== undefined) return createRecipientPrivacy({ data_directory: '', privacy })
  return { plain: false, hash: (address) => String(hashText(address.toLowerCase())) }
}

/** Attribution by each source's own rules; a source that is not configured has the general ones. */
function createAttributors(config: Pick<Config, 'sources' | 'attribution'>) {
  const known = new Map<string, ReturnType<typeof createAttributor>>()
  return (source: string) => {
    const made = known.get(source)
    if (made !== undefined) return made
    const configured = Object.hasOwn(config.sources, source) ? config.sources[source] : undefined
    const attribute = createAttributor({
      source,
      key: configured?.key,
      rules: attributionRulesFor(configured ?? {}, config.attribution),
    })
    known.set(source, attribute)
    return attribute
  }
}

function sourceName(value: unknown, usual: string): string | undefined {
  if (value === undefined || value === null) return usual
  if (typeof value !== 'string' || value === '' || value.length > SOURCE_UNITS_MAX) return undefined
  return value.toWellFormed()
}

function arrivalMs(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= EARLIEST_TIMESTAMP) || value > MILLISECONDS_FROM)
    return undefined
  return Math.round(value * 1000)
}

/** As normalise-event.ts reads it; a time that is not believable is none. */
function eventTimeMs(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\s*\d{1,16}\s*$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') return undefined
  const seconds = Math.floor(number > MILLISECONDS_FROM ? number / 1000 : number)
  return seconds >= EARLIEST_TIMESTAMP && seconds <= MILLISECONDS_FROM ? seconds * 1000 : undefined
}

function bad(fault: string): ReadEvent {
  return { kind: 'bad', fault }
}

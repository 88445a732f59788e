import { setImmediate as nextTurn } from 'node:timers/promises'
import type { NewRecord } from '#shared/event-log/event-log.ts'
import { canonicalJson } from '#shared/domain/canonical-json.ts'
import { isEventType, UNKNOWN_PREFIX, type SendgridEvent } from '#shared/domain/event-shape.ts'
import type { EventMessage, RejectedMessage } from '#shared/domain/log-message.ts'
import { normaliseEvent, type NormalisedEvent } from '#shared/domain/normalise-event.ts'
import { elementBytes, parseWebhookBody } from '#shared/domain/parse-webhook-body.ts'
import type { IngestMetrics } from './metrics.ts'
import { rejectedRecord } from './rejected-record.ts'
import type { Source } from './sources.ts'

/** Some 2 ms of work; then other requests get their turn. */
const EVENTS_PER_TURN = 500
/** New names of event types that are kept apart; the warehouse's column is made for a few of them. */
const UNKNOWN_TYPES_MAX = 100
/** Elements of one body that are quarantined one by one; with more of them the body is kept as a whole. */
const REJECTED_ELEMENTS_MAX = 1000

/** The records of one request, and what is counted once they are durable. */
export type PreparedRequest = {
  readonly events: readonly NewRecord[]
  readonly rejected: readonly NewRecord[]
  readonly countByType: ReadonlyMap<string, number>
  readonly countByRule: ReadonlyMap<string, number>
}
export type PrepareMessages = (source: Source, body: Buffer, receivedAtMs: number) => Promise<PreparedRequest>

type Accepted = Extract<NormalisedEvent, { kind: 'event' }>

/**
 * Makes the step that turns a verified body into the log's messages: one per event, keyed by its attributed key, and
 * one per element (or one for the whole body) that cannot be an event. It never throws for what a body holds.
 */
export function createPrepareMessages(metrics: IngestMetrics): PrepareMessages {
  const unknownTypes = new Set<string>()
  return async function prepareMessages(source, body, receivedAtMs) {
    const batch = new Batch({ source, body, receivedAtMs, metrics, unknownTypes })
    const parsed = parseWebhookBody(body)
    if (parsed.kind === 'rejected') {
      batch.rejectBody(parsed.reason, parsed.detail)
      return batch
    }
    const { elements } = parsed
    for (let index = 0; index < elements.length; index++) {
      if (index > 0 && index % EVENTS_PER_TURN === 0) await nextTurn()
      batch.addElement(elements[index], index)
    }
    batch.finish()
    return batch
  }
}

type BatchContext = {
  readonly source: Source
  readonly body: Buffer
  readonly receivedAtMs: number
  readonly metrics: IngestMetrics
  /** Shared by all requests of the process. */
  readonly unknownTypes: Set<string>
}

/** Gathers the records of one request. */
class Batch implements PreparedRequest {
  readonly events: NewRecord[] = []
  readonly rejected: NewRecord[] = []
  readonly countByType = new Map<string, number>()
  readonly countByRule = new Map<string, number>()
  readonly #context: BatchContext
  readonly #firstById = new Map<string, SendgridEvent>()
  /** Of elements that are no events, by their index; no more of them than are kept. */
  readonly #faults = new Map<number, Pick<RejectedMessage, 'reason' | 'detail'>>()
  #rejectedElements = 0

  constructor(context: BatchContext) {
    this.#context = context
  }

  addElement(element: unknown, index: number) {
    const outcome = normaliseEvent(element, this.#context.receivedAtMs)
    if (outcome.kind === 'rejected') this.#rejectElement(index, outcome.reason, outcome.detail)
    else if (!this.#isRepeat(outcome.event)) this.#addEvent(outcome)
  }

  rejectBody(reason: RejectedMessage['reason'], detail: string) {
    const { body, metrics, source } = this.#context
    metrics.rejected.inc({ source: source.name, reason })
    this.#keepRejected({ scope: 'body', reason, detail }, body)
  }

  /** Keeps what was rejected: one record for each element, or one for all; what were events stay events. */
  finish() {
    const { body } = this.#context
    if (this.#rejectedElements > REJECTED_ELEMENTS_MAX) {
      const detail = `${this.#rejectedElements} elements of this body are no events`
      this.#keepRejected({ scope: 'body', reason: 'schema', detail }, body)
      return
    }
    // Rejections are rare, and finding the elements costs a pass over the body.
    if (this.#faults.size === 0) return
    let index = 0
    for (const bytes of elementBytes(body)) {
      const fault = this.#faults.get(index)
      if (fault !== undefined) this.#keepRejected({ scope: 'event', ...fault }, bytes)
      index += 1
    }
  }

  #addEvent({ event, normalised, unknownFields }: Accepted) {
    const { source, receivedAtMs, metrics } = this.#context
    const isKnown = isEventType(event.event)
    if (!isKnown) this.#boundType(event)
    if (unknownFields > 0) metrics.unknownFields.inc({ source: source.name }, unknownFields)
    for (const field of normalised) metrics.normalised.inc({ field })
    const { key, attribution } = source.attribute(event)
    const message: EventMessage = {
      v: 1,
      key,
      attribution,
      source: source.name,
      received_at: receivedAtMs,
      ...(normalised.length === 0 ? undefined : { normalised: [...normalised] }),
      event,
    }
    this.events.push({ key, value: JSON.stringify(message) })
    increment(this.countByType, isKnown ? event.event : 'unknown')
    increment(this.countByRule, attribution.rule)
  }

  /** Whether the id came before in this request; the first one wins. */
  #isRepeat(event: SendgridEvent): boolean {
    const { source, metrics } = this.#context
    const first = this.#firstById.get(event.sg_event_id)
    if (first === undefined) {
      this.#firstById.set(event.sg_event_id, event)
      return false
    }
    metrics.repeated.inc({ source: source.name })
    if (canonicalJson(first) !== canonicalJson(event)) metrics.conflict.inc({ source: source.name })
    return true
  }

  #boundType(event: SendgridEvent) {
    const { source, metrics, unknownTypes } = this.#context
    metrics.unknownTypes.inc({ source: source.name })
    if (unknownTypes.size < UNKNOWN_TYPES_MAX) unknownTypes.add(event.event)
    else if (!unknownTypes.has(event.event)) event.event = `${UNKNOWN_PREFIX}other`
  }

  #rejectElement(index: number, reason: RejectedMessage['reason'], detail: string) {
    const { metrics, source } = this.#context
    metrics.rejected.inc({ source: source.name, reason })
    this.#rejectedElements += 1
    if (this.#rejectedElements <= REJECTED_ELEMENTS_MAX) this.#faults.set(index, { reason, detail })
  }

  #keepRejected(fault: Pick<RejectedMessage, 'scope' | 'reason' | 'detail'>, bytes: Uint8Array) {
    const { source, receivedAtMs } = this.#context
    this.rejected.push(rejectedRecord({ ...fault, source: source.name, received_at: receivedAtMs }, bytes))
  }
}

function increment(counts: Map<string, number>, name: string) {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

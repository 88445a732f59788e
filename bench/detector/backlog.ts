import { configSchema } from '#shared/config/config.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { ARRIVAL_DELAY_MS } from '../../cli/simulator/event-message.ts'
import { generateEvents } from '../../cli/simulator/event-stream.ts'
import { defaultFleet } from '../../cli/simulator/fleet.ts'
import { Random } from '../../cli/simulator/random.ts'
import { BILLING_KEY, simulatorSourceNames, type SimulatorSource } from '../../cli/simulator/sources.ts'
import { createMetrics } from '../../services/ingest/metrics.ts'
import { createPrepareMessages } from '../../services/ingest/prepare-messages.ts'
import { createSources, type Source } from '../../services/ingest/sources.ts'
import { generateSigningKeys } from '#shared/domain/webhook-signature.ts'

export const SEED = 1
/** The fleet's volume in the backlog, against its usual one of 15,000 events a day. */
export const RATE = 25
export const HOUR_MS = 3_600_000
const BACKLOG_HOURS = 26
const EVENTS_PER_REQUEST = 100
/** Of the requests, how many SendGrid delivers again, as it does after a time-out. */
const REDELIVERED_SHARE = 0.075
/** A redelivery comes this many requests after the first delivery. */
const REDELIVERED_AFTER = 200
/** Requests that one append takes. */
const APPEND_RECORDS = 5000

export type Backlog = {
  /** Records appended, redeliveries included. */
  readonly records: number
  readonly distinct: number
}

type Request = { readonly source: SimulatorSource; readonly body: Buffer; readonly receivedAtMs: number }

/**
 * Appends `events` distinct events of the simulated fleet, as ingest writes them: bodies of a hundred events are
 * parsed, normalised and attributed by ingest's own code, and some are delivered twice. Ends before `toMs`.
 */
export async function fillLog(
  eventLog: EventLog,
  { events, toMs }: { readonly events: number; readonly toMs: number },
): Promise<Backlog> {
  const prepare = createPrepareMessages(createMetrics(() => 0))
  const sources = ingestSources()
  const random = new Random(SEED, 99)
  const later: { readonly due: number; readonly request: Request }[] = []
  let pending: { key: string; value: string | Uint8Array }[] = []
  let records = 0
  let distinct = 0
  let number = 0
  const deliver = async ({ source, body, receivedAtMs }: Request) => {
    const prepared = await prepare(sources[source], body, receivedAtMs)
    pending.push(...prepared.events)
    records += prepared.events.length
    if (pending.length < APPEND_RECORDS) return
    await eventLog.append(topics.events, pending)
    pending = []
  }
  for (const request of requests(toMs)) {
    if (distinct >= events) break
    const before = records
    await deliver(request)
    distinct += records - before
    if (random.next() < REDELIVERED_SHARE) later.push({ due: number + REDELIVERED_AFTER, request })
    while (later[0] !== undefined && later[0].due <= number) {
      const again = later.shift()
      if (again !== undefined) await deliver({ ...again.request, receivedAtMs: request.receivedAtMs })
    }
    number += 1
  }
  if (pending.length > 0) await eventLog.append(topics.events, pending)
  return { records, distinct }
}

/** The requests that SendGrid would have sent, one source's events in each. */
function* requests(toMs: number): Generator<Request> {
  const open = new Map<SimulatorSource, string[]>()
  const fromMs = toMs - BACKLOG_HOURS * HOUR_MS
  for (const { source, event, atMs } of generateEvents({
    profiles: defaultFleet,
    seed: SEED,
    rate: RATE,
    fromMs,
    toMs,
  })) {
    const body = open.get(source) ?? []
    body.push(JSON.stringify(event))
    open.set(source, body)
    if (body.length < EVENTS_PER_REQUEST) continue
    yield { source, body: Buffer.from(`[${body.join(',\r\n')}]\r\n`), receivedAtMs: atMs + ARRIVAL_DELAY_MS }
    open.delete(source)
  }
}

function ingestSources(): Readonly<Record<SimulatorSource, Source>> {
  const { publicKey } = generateSigningKeys()
  const config = configSchema.parse({
    sources: Object.fromEntries(
      simulatorSourceNames.map((name) => [
        name,
        { public_keys: [publicKey], ...(name === 'billing' ? { key: BILLING_KEY } : {}) },
      ]),
    ),
  })
  const { find } = createSources(config)
  const named = (name: SimulatorSource) => {
    const { source } = find(name)
    if (source === undefined) throw new Error(`${name} is configured`)
    return source
  }
  return { main: named('main'), billing: named('billing'), marketing: named('marketing') }
}

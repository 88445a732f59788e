import { setTimeout as wait } from 'node:timers/promises'
import type { SimulatedEvent } from './event-stream.ts'
import { ARRIVAL_DELAY_MS } from './event-message.ts'
import { below, Random } from './random.ts'
import { createPoster, type DeliveryProblem, type Post } from './deliver-webhook.ts'
import { simulatorSourceNames, type SimulatorKeys, type SimulatorSource } from './sources.ts'
import { webhookBody } from './webhook-request.ts'

export type LiveOptions = {
  /** Where ingest listens, for example `http://127.0.0.1:8080`. */
  readonly ingestUrl: string
  readonly keys: SimulatorKeys
  /** In order of time, endless: an event is posted once its time has come. */
  readonly events: Iterator<SimulatedEvent<string>, void, undefined>
  readonly seed: number
  readonly signal: AbortSignal
  readonly now: () => number
  /** Events before `untilMs` are going to be posted: keep that before the first of them leaves. */
  readonly onPosting: (untilMs: number) => Promise<void>
  /** Events before `untilMs` were accepted by ingest. */
  readonly onDelivered: (untilMs: number, events: readonly SimulatedEvent<string>[]) => Promise<void>
  readonly onProblem: (problem: DeliveryProblem) => void
}

const TICK_MS = 1000
/** SendGrid's batches hold up to about a thousand events. */
const BATCH_EVENTS_MAX = 1000
/** A backlog is delivered in pieces, so that it never lies in memory as a whole. */
const TICK_EVENTS_MAX = 10_000
/** Duplicates are normal: about one batch in fifty comes again, seconds or minutes later. */
const REDELIVERY_SHARE = 0.02
const REDELIVERIES_MAX = 20

type Redelivery = { readonly atMs: number; readonly source: SimulatorSource; readonly body: string }

/**
 * Posts events as their time comes, batched by source every second and signed like SendGrid's, until `signal`
 * aborts; then resolves once the request in flight is answered or given up.
 *
 * What ingest does not accept is posted again at growing intervals, and nothing later goes out before it is
 * accepted. Some batches are delivered twice, as SendGrid does.
 */
export async function postLive(options: LiveOptions): Promise<void> {
  const { signal, now, events } = options
  const post = createPoster(options)
  const random = new Random(options.seed, 7, now())
  const redeliveries: Redelivery[] = []
  let next = events.next()
  while (!signal.aborted && next.done !== true) {
    let untilMs = Math.floor(now()) - ARRIVAL_DELAY_MS
    const due: SimulatedEvent<string>[] = []
    while (next.done !== true && next.value.atMs < untilMs) {
      if (due.length >= TICK_EVENTS_MAX) {
        // The next piece begins at an event of a later instant: a position cannot lie between two of one instant.
        const lastMs = due.at(-1)?.atMs ?? 0
        if (next.value.atMs > lastMs) {
          untilMs = next.value.atMs
          break
        }
      }
      due.push(next.value)
      next = events.next()
    }
    if (due.length > 0) {
      await options.onPosting(untilMs)
      if (!(await postDue(due, post, { random, redeliveries, now }))) return
      await options.onDelivered(untilMs, due)
    }
    await redeliver(redeliveries, post, now())
    const ahead = next.done === true || next.value.atMs >= Math.floor(now()) - ARRIVAL_DELAY_MS
    if (ahead) await wait(TICK_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** Posts the batches of each source in turn; false when the simulation was stopped before all were accepted. */
async function postDue(
  due: readonly SimulatedEvent<string>[],
  post: Post,
  memory: { readonly random: Random; readonly redeliveries: Redelivery[]; readonly now: () => number },
): Promise<boolean> {
  const { random, redeliveries, now } = memory
  for (const source of simulatorSourceNames) {
    const events = due.filter((event) => event.source === source).map(({ event }) => event)
    for (let first = 0; first < events.length; first += BATCH_EVENTS_MAX) {
      const body = webhookBody(events.slice(first, first + BATCH_EVENTS_MAX))
      if (!(await post(source, body))) return false
      if (random.next() < REDELIVERY_SHARE && redeliveries.length < REDELIVERIES_MAX) {
        redeliveries.push({ atMs: now() + 5000 + below(random, 120_000), source, body })
      }
    }
  }
  return true
}

async function redeliver(redeliveries: Redelivery[], post: Post, nowMs: number) {
  const index = redeliveries.findIndex(({ atMs }) => atMs <= nowMs)
  const redelivery = redeliveries[index]
  if (redelivery === undefined) return
  redeliveries.splice(index, 1)
  await post(redelivery.source, redelivery.body)
}

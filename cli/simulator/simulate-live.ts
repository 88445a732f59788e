import { thiefOf, type AttackName, type AttackPlan } from './attack.ts'
import { appendLabel, labelOf, type AttackLabel } from './attack-label.ts'
import type { DeliveryProblem } from './deliver-webhook.ts'
import { generateEvents, type SimulatedEvent } from './event-stream.ts'
import { defaultFleet } from './fleet.ts'
import type { KeyProfile } from './key-profile.ts'
import { liveSpans, readPosition, writePosition, type Position, type Span } from './position.ts'
import { postLive } from './post-live.ts'
import { ensureSimulatorKeys } from './sources.ts'

export type AttackRequest = {
  readonly attack: AttackName
  /** The key to steal. */
  readonly key: string
  /** From the start of the live traffic on. */
  readonly afterMs: number
  readonly durationMs: number
}

export type LiveReport =
  | { readonly kind: 'started'; readonly fromMs: number }
  | { readonly kind: 'attack_started'; readonly label: AttackLabel }
  | { readonly kind: 'attack_ended'; readonly label: AttackLabel }
  | { readonly kind: 'delivered'; readonly events: number }
  | { readonly kind: 'delivery_problem'; readonly problem: DeliveryProblem }

export type LiveSimulationOptions = {
  /** Holds the signing keys and the position; the same as for the history. */
  readonly dataDirectory: string
  readonly ingestUrl: string
  readonly seed: number
  readonly rate: number
  readonly attack?: AttackRequest
  /** Where a line about the attack is added, for whoever judges the alerts. */
  readonly labelsFile?: string
  readonly now: () => number
  readonly signal: AbortSignal
  readonly report: (report: LiveReport) => void
}

/**
 * Posts the fleet's traffic to ingest in real time until `signal` aborts, going on where the history or the last
 * run ended (after a longer pause with the last 24 hours, as SendGrid would), and steals a key when asked to.
 */
export async function simulateLive(options: LiveSimulationOptions): Promise<void> {
  const { dataDirectory, seed, rate, report } = options
  const keys = await ensureSimulatorKeys(dataDirectory)
  const startMs = Math.floor(options.now())
  let position = await readPosition(dataDirectory)
  const spans = liveSpans(position, startMs)
  const stolen = await planAttack(options, startMs)
  const watch = createAttackWatch(stolen?.label, report)
  const keep = async (change: Partial<Position>) => {
    position = { ...position, ...change }
    await writePosition(dataDirectory, position)
  }
  report({ kind: 'started', fromMs: spans[0]?.fromMs ?? startMs })
  await postLive({
    ingestUrl: options.ingestUrl,
    keys,
    seed,
    signal: options.signal,
    now: options.now,
    events: spansOfEvents(spans, { seed, rate, thief: stolen?.thief }),
    onPosting: (untilMs) => keep({ posting_until_ms: Math.max(untilMs, position.posting_until_ms ?? 0) }),
    onDelivered: async (untilMs, events) => {
      await keep({ delivered_until_ms: untilMs })
      report({ kind: 'delivered', events: events.length })
      watch(untilMs, events)
    },
    onProblem: (problem) => report({ kind: 'delivery_problem', problem }),
  })
}

function* spansOfEvents(
  spans: readonly Span[],
  stream: { readonly seed: number; readonly rate: number; readonly thief: KeyProfile | undefined },
): Generator<SimulatedEvent, void, undefined> {
  const { seed, rate, thief } = stream
  const profiles = thief === undefined ? defaultFleet : [...defaultFleet, thief]
  for (const { fromMs, untilMs } of spans) {
    yield* generateEvents({ profiles, seed, rate, fromMs, toMs: untilMs })
  }
}

async function planAttack(
  options: LiveSimulationOptions,
  startMs: number,
): Promise<{ readonly thief: KeyProfile; readonly label: AttackLabel } | undefined> {
  const { attack: request, labelsFile } = options
  if (request === undefined) return undefined
  const { attack, key, durationMs } = request
  const plan: AttackPlan = { attack, key, durationMs, fromMs: startMs + request.afterMs }
  const thief = thiefOf(defaultFleet, plan)
  const label = labelOf(thief, plan, options)
  if (labelsFile !== undefined) await appendLabel(labelsFile, label)
  return { thief, label }
}

/** Reports the attack's beginning with its first delivered event, and its end with the first time after it. */
function createAttackWatch(label: AttackLabel | undefined, report: (report: LiveReport) => void) {
  let state: 'waiting' | 'under_way' | 'over' = label === undefined ? 'over' : 'waiting'
  return (untilMs: number, events: readonly SimulatedEvent[]) => {
    if (label === undefined || state === 'over') return
    if (state === 'waiting' && events.some(({ scenario }) => scenario !== undefined)) {
      state = 'under_way'
      report({ kind: 'attack_started', label })
    }
    if (state === 'under_way' && untilMs > Date.parse(label.ended_at)) {
      state = 'over'
      report({ kind: 'attack_ended', label })
    }
  }
}

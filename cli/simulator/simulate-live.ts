import type { AttackName } from './attack.ts'
import type { DeliveryProblem } from './deliver-webhook.ts'
import { generateEvents, type SimulatedEvent } from './event-stream.ts'
import { appendLabels } from './label-file.ts'
import { liveSpans, readPosition, writePosition, type Position, type Span } from './position.ts'
import { postLive } from './post-live.ts'
import { planLive, type LiveScenarioRequest, type LiveScenarios } from './scenarios/plan-live.ts'
import type { ScenarioLabel } from './scenarios/scenario-label.ts'
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
  | { readonly kind: 'attack_started' | 'look_alike_started'; readonly label: ScenarioLabel }
  | { readonly kind: 'attack_ended' | 'look_alike_ended'; readonly label: ScenarioLabel }
  | { readonly kind: 'delivered'; readonly events: number }
  | { readonly kind: 'delivery_problem'; readonly problem: DeliveryProblem }

export type LiveSimulationOptions = {
  /** Holds the signing keys and the position; the same as for the history. */
  readonly dataDirectory: string
  readonly ingestUrl: string
  readonly seed: number
  readonly rate: number
  readonly attack?: AttackRequest
  /** By name, from the given time after the start of the live traffic on. */
  readonly scenarios?: NonNullable<LiveScenarioRequest['scenarios']>
  /** Where a line about each of them is added, for whoever judges the alerts. */
  readonly labelsFile?: string
  readonly now: () => number
  readonly signal: AbortSignal
  readonly report: (report: LiveReport) => void
}

/**
 * Posts the fleet's traffic to ingest in real time until `signal` aborts, going on where the history or the last
 * run ended (after a longer pause with the last 24 hours, as SendGrid would), and with what is asked for: a theft,
 * other scenarios.
 */
export async function simulateLive(options: LiveSimulationOptions): Promise<void> {
  const { dataDirectory, seed, rate, report } = options
  const keys = await ensureSimulatorKeys(dataDirectory)
  const startMs = Math.floor(options.now())
  let position = await readPosition(dataDirectory)
  const spans = liveSpans(position, startMs)
  const live = await planScenarios(options, startMs)
  const watches = live.labels.map((label) => createScenarioWatch(label, report))
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
    events: spansOfEvents(spans, { seed, rate, live }),
    onPosting: (untilMs) => keep({ posting_until_ms: Math.max(untilMs, position.posting_until_ms ?? 0) }),
    onDelivered: async (untilMs, events) => {
      await keep({ delivered_until_ms: untilMs })
      report({ kind: 'delivered', events: events.length })
      for (const watch of watches) watch(untilMs)
    },
    onProblem: (problem) => report({ kind: 'delivery_problem', problem }),
  })
}

function* spansOfEvents(
  spans: readonly Span[],
  stream: { readonly seed: number; readonly rate: number; readonly live: LiveScenarios },
): Generator<SimulatedEvent<string>, void, undefined> {
  const { seed, rate, live } = stream
  const { profiles, silenced } = live
  for (const { fromMs, untilMs } of spans) {
    for (const simulated of generateEvents({ profiles, seed, rate, fromMs, toMs: untilMs })) {
      const { source, atMs } = simulated
      const isSilenced = silenced.some(
        (one) => one.source === source && atMs >= one.fromMs && atMs < one.toMs,
      )
      if (!isSilenced) yield simulated
    }
  }
}

async function planScenarios(options: LiveSimulationOptions, startMs: number): Promise<LiveScenarios> {
  const { seed, rate, attack: request, scenarios, labelsFile } = options
  const theft =
    request === undefined
      ? undefined
      : {
          attack: request.attack,
          key: request.key,
          durationMs: request.durationMs,
          fromMs: startMs + request.afterMs,
        }
  const live = planLive({ seed, rate, startMs, theft, scenarios })
  if (labelsFile !== undefined) await appendLabels(labelsFile, live.labels)
  return live
}

/** Reports when delivery has come to the beginning of a scenario, and to its end. */
function createScenarioWatch(label: ScenarioLabel, report: (report: LiveReport) => void) {
  const attack = label.kind === 'attack'
  let state: 'waiting' | 'under_way' | 'over' = 'waiting'
  return (untilMs: number) => {
    if (state === 'waiting' && untilMs > Date.parse(label.started_at)) {
      state = 'under_way'
      report({ kind: attack ? 'attack_started' : 'look_alike_started', label })
    }
    if (state === 'under_way' && untilMs > Date.parse(label.ended_at)) {
      state = 'over'
      report({ kind: attack ? 'attack_ended' : 'look_alike_ended', label })
    }
  }
}

import { EVERY, UNATTRIBUTED } from '#shared/domain/alert.ts'
import { generateEvents } from '../event-stream.ts'
import { HOUR_MS } from '../habit.ts'
import { hashText } from '../hash-text.ts'
import type { KeyProfile, Span } from '../key-profile.ts'
import { pick, Random } from '../random.ts'
import { DAY_MS } from './local-time.ts'
import { isNamedInMessages, type Plan, type Scenario, type Target } from './scenario.ts'

export type PlacedScenario = { readonly id: string; readonly scenario: Scenario; readonly plan: Plan }

export type PlacementOptions = {
  readonly seed: number
  readonly profiles: readonly KeyProfile<string>[]
  readonly startMs: number
  readonly endMs: number
  /** Scenarios begin here at the earliest. */
  readonly judgedFromMs: number
  /** And at the latest so long after it, some later for the time of day that they need; absent: before the end. */
  readonly beginWithinMs?: number
  /** To which keys they happen; absent: to any. */
  readonly victims?: readonly KeyProfile<string>[]
}

/** Between two scenarios about one key. */
const KEY_GAP_MS = 4 * DAY_MS
/** Between two of which at least one is about a whole source or fleet; the second where the first leaves no room. */
const WIDE_GAPS_MS = [DAY_MS, 4 * HOUR_MS]
const TRIES_MAX = 150
/** An attack needs this much time after it to be found. */
const LAST_MS = HOUR_MS

/**
 * Finds a key and a time for a scenario beside those already placed. Undefined where there is no room, or no such key.
 *
 * Scenarios never overlap on a key, and there are four days between two on one key. About a source or the fleet,
 * and among what no rule attributes, a day or at least four hours have to do.
 */
export function placeScenario(
  scenario: Scenario,
  number: number,
  others: readonly PlacedScenario[],
  options: PlacementOptions,
): PlacedScenario | undefined {
  const { seed, profiles, startMs, endMs, judgedFromMs, victims = profiles } = options
  const { beginWithinMs = endMs - judgedFromMs } = options
  const id = `${scenario.name} ${number}`
  for (const wideGapMs of WIDE_GAPS_MS) {
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const random = new Random(seed, 21, hashText(id), wideGapMs, attempt)
      const victim = pick(random, victims)
      const atMs = Math.floor(judgedFromMs + beginWithinMs * random.next())
      if (victim.name === UNATTRIBUTED || !scenario.suits(victim, atMs)) continue
      const plan = scenario.plan({ id, victim, fleet: profiles, startMs, endMs, atMs, random })
      if (plan === undefined || plan.span.fromMs < judgedFromMs || plan.span.toMs > endMs) continue
      if (scenario.kind === 'attack' && plan.span.toMs > endMs - LAST_MS) continue
      const placed = { id, scenario, plan }
      if (!others.every((other) => isApart(placed, other, wideGapMs))) continue
      if (sendsEnough(placed, seed)) return placed
    }
  }
  return undefined
}

function sendsEnough({ scenario, plan }: PlacedScenario, seed: number): boolean {
  if (plan.senders === undefined) return true
  const { messagesMin = 1 } = scenario
  let messages = 0
  for (const { event } of generateEvents({ profiles: plan.senders, seed, rate: 1, ...plan.span })) {
    if (event.event === 'processed') messages += 1
    if (messages >= messagesMin) return true
  }
  return false
}

function isApart(one: PlacedScenario, other: PlacedScenario, wideGapMs: number): boolean {
  const left = one.plan.occupies ?? one.plan.span
  const right = other.plan.occupies ?? other.plan.span
  // What takes no time is in nobody's way, but does not happen twice.
  if (left.fromMs === right.fromMs && left.toMs === right.toMs) return false
  if (left.fromMs === left.toMs || right.fromMs === right.toMs) return true
  const common = commonTo(entitiesOf(one.plan), entitiesOf(other.plan))
  switch (common) {
    case 'nothing':
      return true
    case 'key':
      return areApart(left, right, KEY_GAP_MS)
    case 'source': {
      // Of two things that are no misuse, one about a single key may well happen during one about all of them.
      const harmless = one.scenario.kind === 'benign' && other.scenario.kind === 'benign'
      if (harmless && one.scenario.wide !== other.scenario.wide) return true
      return areApart(one.plan.span, other.plan.span, wideGapMs)
    }
    default:
      return common satisfies never
  }
}

function areApart(left: Span, right: Span, gapMs: number): boolean {
  return left.fromMs >= right.toMs + gapMs || right.fromMs >= left.toMs + gapMs
}

function commonTo(left: readonly Target[], right: readonly Target[]): 'nothing' | 'source' | 'key' {
  const same = (a: string, b: string) => a === b || a === EVERY || b === EVERY
  const shared = left.flatMap((one) =>
    right
      .filter((other) => same(one.source, other.source) && same(one.key, other.key))
      .map((other) => [one.key, other.key]),
  )
  if (shared.length === 0) return 'nothing'
  const ofOneKey = shared.some((keys) => keys.every((key) => key !== EVERY && key !== UNATTRIBUTED))
  return ofOneKey ? 'key' : 'source'
}

/** The targets and, where the thief does not say which key it is, what the source has without a name. */
function entitiesOf({ targets, senders = [] }: Plan): readonly Target[] {
  const nameless = senders.filter((sender) => !isNamedInMessages(sender))
  return [...targets, ...nameless.map(({ source }) => ({ source, key: UNATTRIBUTED }))]
}

import {
  expired,
  drawBounce,
  drawDrop,
  unreachable,
  type BounceCause,
  type DropCause,
} from './delivery-outcomes.ts'
import { HOUR_MS } from './habit.ts'
import type { KeyProfile, ListQuality, Trouble } from './key-profile.ts'
import { below, exponential, logNormal, type Random } from './random.ts'

/** What happens to a message, in SendGrid's words; only what differs between events of the same type is kept. */
export type Step =
  | { readonly event: 'processed' | 'delivered' | 'spamreport' | 'unsubscribe' }
  | { readonly event: 'dropped'; readonly cause: DropCause }
  | { readonly event: 'deferred'; readonly attempt: number }
  | { readonly event: 'bounce'; readonly cause: BounceCause }
  | { readonly event: 'open'; readonly machine: boolean }
  | { readonly event: 'click'; readonly link: number }
  | { readonly event: 'group_unsubscribe' | 'group_resubscribe' }

export type PlannedStep = { readonly afterMs: number; readonly step: Step }

/**
 * Nothing happens to a message later than this. SendGrid gives up deliveries then; people do open older mail, but
 * hardly ever.
 */
export const FOLLOW_UP_MAX_MS = 72 * HOUR_MS

const SECOND_MS = 1000
const MINUTE_MS = 60_000
/** Of the messages that were deferred, this share bounces in the end. */
const DEFERRED_BOUNCE_SHARE = 0.12
const DEFERRED_EXPIRY_SHARE = 0.02
const RESUBSCRIBE_SHARE = 0.08
const DEFERRALS_MAX = 9

/**
 * The whole life of one message: when each of its events happens after the message was accepted, in milliseconds,
 * each later than the ones it follows from.
 *
 * A dropped message has a `dropped` event only; every other one is `processed` first.
 */
export function planFollowUps(profile: KeyProfile<string>, random: Random): PlannedStep[] {
  const { rates, listQuality } = profile
  if (random.next() < rates.drop) {
    return [{ afterMs: 0, step: { event: 'dropped', cause: drawDrop(listQuality, random) } }]
  }
  const steps: PlannedStep[] = [{ afterMs: 0, step: { event: 'processed' } }]
  const transportMs = Math.min(50 + logNormal(random, 1100, 0.7), 30 * SECOND_MS)
  if (random.next() < rates.defer) planDeferrals(steps, transportMs, { listQuality, random })
  else if (random.next() < rates.bounce) {
    steps.push({ afterMs: transportMs, step: { event: 'bounce', cause: drawBounce(listQuality, random) } })
  } else steps.push({ afterMs: transportMs, step: { event: 'delivered' } })

  const last = steps.at(-1)
  if (last?.step.event === 'delivered') planReading(steps, last.afterMs, { profile, random })
  return steps.filter(({ afterMs }) => afterMs < FOLLOW_UP_MAX_MS)
}

/** Of the messages to a domain whose servers are down, this share bounces at once: its name does not resolve. */
const UNREACHABLE_SHARE = 0.35
/** Of those that wait for a domain, this share is given up. */
const GIVEN_UP_SHARE = 0.1

/**
 * The life of a message that met a trouble: deferred until shortly after the trouble's end, then delivered as a rule.
 * `atMs` is when the message was accepted.
 */
export function planTroubledFollowUps(
  profile: KeyProfile<string>,
  trouble: Trouble,
  atMs: number,
  random: Random,
): PlannedStep[] {
  const steps: PlannedStep[] = [{ afterMs: 0, step: { event: 'processed' } }]
  let afterMs = 500 + logNormal(random, 3 * SECOND_MS, 0.8)
  const down = trouble.kind === 'domain_down'
  if (down && random.next() < UNREACHABLE_SHARE) {
    steps.push({ afterMs, step: { event: 'bounce', cause: unreachable } })
    return steps
  }
  const leftMs = trouble.toMs - atMs
  for (let attempt = 1; attempt === 1 || (afterMs < leftMs && attempt <= DEFERRALS_MAX); attempt++) {
    steps.push({ afterMs, step: { event: 'deferred', attempt } })
    afterMs += logNormal(random, 3 * MINUTE_MS * 1.9 ** attempt, 0.35)
  }
  afterMs = Math.max(afterMs, leftMs + exponential(random, 5 * MINUTE_MS))
  if (down && random.next() < GIVEN_UP_SHARE) {
    steps.push({ afterMs, step: { event: 'bounce', cause: expired } })
    return steps
  }
  steps.push({ afterMs, step: { event: 'delivered' } })
  planReading(steps, afterMs, { profile, random })
  return steps.filter((step) => step.afterMs < FOLLOW_UP_MAX_MS)
}

/** Deferrals at growing intervals, from minutes to hours, then the end of it. */
function planDeferrals(
  steps: PlannedStep[],
  firstMs: number,
  draw: { readonly listQuality: ListQuality; readonly random: Random },
) {
  const { listQuality, random } = draw
  let afterMs = firstMs
  if (random.next() < DEFERRED_EXPIRY_SHARE) {
    for (let attempt = 1; attempt <= 5; attempt++) {
      steps.push({ afterMs, step: { event: 'deferred', attempt } })
      afterMs += 5 * MINUTE_MS * 3 ** attempt
    }
    // One second before the bound: the last event of any message.
    const lastMs = FOLLOW_UP_MAX_MS - SECOND_MS
    steps.push({ afterMs: lastMs, step: { event: 'bounce', cause: expired } })
    return
  }
  const attempts = 1 + below(random, 3)
  for (let attempt = 1; attempt <= attempts; attempt++) {
    steps.push({ afterMs, step: { event: 'deferred', attempt } })
    afterMs += logNormal(random, 5 * MINUTE_MS * 3 ** attempt, 0.5)
  }
  const bounced = random.next() < DEFERRED_BOUNCE_SHARE
  steps.push({
    afterMs,
    step: bounced ? { event: 'bounce', cause: drawBounce(listQuality, random) } : { event: 'delivered' },
  })
}

/** Opens by proxies and people, clicks, complaints and farewells. */
function planReading(
  steps: PlannedStep[],
  deliveredMs: number,
  draw: { readonly profile: KeyProfile<string>; readonly random: Random },
) {
  const { random, profile } = draw
  const { rates, content } = profile
  if (random.next() < rates.machineOpen) {
    const afterMs = deliveredMs + SECOND_MS + exponential(random, 25 * SECOND_MS)
    steps.push({ afterMs, step: { event: 'open', machine: true } })
  }
  if (random.next() < rates.spamReport) {
    const afterMs = deliveredMs + SECOND_MS + logNormal(random, rates.spamReportMedianMinutes * MINUTE_MS, 1)
    steps.push({ afterMs, step: { event: 'spamreport' } })
  }
  if (random.next() >= rates.open) return
  let openedMs = deliveredMs + SECOND_MS + logNormal(random, rates.openMedianMinutes * MINUTE_MS, 1.4)
  steps.push({ afterMs: openedMs, step: { event: 'open', machine: false } })
  if (random.next() < rates.click) {
    const afterMs = openedMs + 2 * SECOND_MS + exponential(random, 40 * SECOND_MS)
    steps.push({ afterMs, step: { event: 'click', link: below(random, content.links.length) } })
  }
  if (random.next() < rates.unsubscribe) {
    planFarewell(steps, openedMs + 5 * SECOND_MS + exponential(random, MINUTE_MS), {
      grouped: content.asmGroupId !== undefined,
      random,
    })
  }
  while (random.next() < 0.2) {
    openedMs += MINUTE_MS + exponential(random, 5 * HOUR_MS)
    steps.push({ afterMs: openedMs, step: { event: 'open', machine: false } })
  }
}

function planFarewell(
  steps: PlannedStep[],
  afterMs: number,
  draw: { readonly grouped: boolean; readonly random: Random },
) {
  const { grouped, random } = draw
  steps.push({ afterMs, step: { event: grouped ? 'group_unsubscribe' : 'unsubscribe' } })
  if (!grouped || random.next() >= RESUBSCRIBE_SHARE) return
  steps.push({
    afterMs: afterMs + 5 * SECOND_MS + exponential(random, MINUTE_MS),
    step: { event: 'group_resubscribe' },
  })
}

import { number, span } from '../alert-text.ts'
import { POINTS_MIN, type Evidence, type EvidenceSink } from '../evidence.ts'
import { surpriseOfShare, type ShareDistribution } from '../statistics/beta-binomial.ts'
import { recentSums, type OutcomeCounts } from './outcome-counts.ts'
import { fitOf, messagesFor, type OutcomeFit } from './outcome-fit.ts'
import type { OutcomeKind } from './outcome-kinds.ts'
import { failuresSince, type RecentFailures } from './recent-failures.ts'

/** Spans that are judged, ending now: cells of a level (2 = days), and what of the span is full at least, minutes. */
const spans = [
  { level: 0, length: 2, minutes: 40 },
  { level: 0, length: 4, minutes: 80 },
  { level: 1, length: 4, minutes: 480 },
  { level: 2, length: 2, minutes: 2880 },
  { level: 2, length: 4, minutes: 5760 },
] as const
const EIGHT_HOURS = 2
const TWO_DAYS = 3
const FOUR_DAYS = 4
const MINUTES_PER_DAY = 1440

/**
 * A failure in a span may belong to a message from before it. The share of such messages that is added to the
 * span's own: of those of the last eight hours, two days and four days. Bounces come within seconds, or after
 * deferrals within hours; complaints within minutes to days. Rather too much than too little: expecting more is the
 * quiet side.
 */
const carried: Readonly<Record<OutcomeKind['timing'], readonly (readonly number[])[]>> = {
  'at-once': [],
  soon: [
    [0.05, 0.004, 0],
    [0.08, 0.008, 0],
    [0, 0.1, 0],
    [0, 0, 0.3],
    [0, 0, 0],
  ],
  retried: [
    [0.15, 0.03, 0],
    [0.2, 0.05, 0],
    [0, 0.2, 0],
    [0, 0, 0.3],
    [0, 0, 0],
  ],
  late: [
    [0.1, 0.02, 0.005],
    [0.15, 0.03, 0.01],
    [0, 0.25, 0.1],
    [0, 0, 0.25],
    [0, 0, 0],
  ],
}

/** Significant is not important: twice the usual share is worth two points at most, four times six. */
const POINTS_PER_RATIO = 2
/** Points of one, two and three failures at most: chance needs no more. Three complaints, however, can be conclusive. */
const FEW_MAX = [0, 0, 1.5, 2.5]
const FEW_COMPLAINTS_MAX = [0, 0, 2.5]
const CONCLUSIVE_FAILURES = 4
/** A key whose habits are not known yet is never conclusive; nor is one that has sent on a few days only. */
const YOUNG_MAX = 3
const DAYS_MIN = 3
/** So much of the failures at one recipient domain is that domain's own trouble. */
const ONE_DOMAIN_SHARE = 0.8
const HOLD_MINUTES: Readonly<Record<OutcomeKind['timing'], number>> = {
  'at-once': 60,
  soon: 60,
  retried: 60,
  late: 360,
}

export type OutcomeView = {
  readonly counts: OutcomeCounts
  readonly failures: RecentFailures
  /** What started before this minute has been told already. */
  readonly fromMinute: number
  readonly mature: boolean
}

/** What one span holds, and what is to be expected of it. */
export type OutcomeSpan = {
  readonly minutes: number
  readonly observed: number
  /** Messages of the span. */
  readonly messages: number
  /** Messages that the observed failures may belong to. */
  readonly cohort: number
  readonly points: number
}

/** Leaves evidence where the latest share of failures of this kind is unusual for the key. */
export function judgeOutcome(view: OutcomeView, kind: OutcomeKind, sink: EvidenceSink): void {
  const fit = fitOf(view.counts, kind)
  const best = mostSurprising(view, kind, fit)
  if (best === undefined || best.points < POINTS_MIN || !sink.wants(kind.signal, best.points)) return
  const since = view.counts.head - best.minutes
  const recent = failuresSince(view.failures, kind.column, since)
  const oneDomain = recent.count >= CONCLUSIVE_FAILURES && recent.domainShare >= ONE_DOMAIN_SHARE
  const few = kind.timing === 'late' ? FEW_COMPLAINTS_MAX : FEW_MAX
  const points = Math.min(
    best.points,
    kind.pointsMax,
    oneDomain ? kind.oneDomainMax : Infinity,
    few[best.observed] ?? Infinity,
    view.mature && fit.days >= DAYS_MIN ? Infinity : YOUNG_MAX,
  )
  if (points < POINTS_MIN || !sink.wants(kind.signal, points)) return
  const startMinute = Number.isFinite(recent.firstMinute) ? recent.firstMinute : since
  sink.report(evidenceOf(kind, { ...best, points, startMinute, oneDomain, fit }))
}

/** The span whose failures are least to be expected; undefined when none has more than is usual. */
export function mostSurprising(
  { counts, fromMinute }: OutcomeView,
  kind: OutcomeKind,
  fit: OutcomeFit,
): OutcomeSpan | undefined {
  const sums = spans.map(({ level, length }) => recentSums(counts, level, { length, fromMinute }))
  const all = spans.map(({ level, length }) => recentSums(counts, level, { length, fromMinute: 0 }))
  const messagesOf = (row: readonly number[] | undefined) => messagesFor(kind, (index) => row?.[index] ?? 0)
  const eightHours = messagesOf(all[EIGHT_HOURS])
  const twoDays = messagesOf(all[TWO_DAYS])
  const fourDays = messagesOf(all[FOUR_DAYS])
  let best: OutcomeSpan | undefined
  for (const [index, { minutes }] of spans.entries()) {
    if (index === FOUR_DAYS && kind.timing !== 'late') continue
    const observed = sums[index]?.[kind.column] ?? 0
    if (observed === 0) continue
    const messages = messagesOf(sums[index])
    const [near = 0, far = 0, farthest = 0] = carried[kind.timing][index] ?? []
    const cohort = Math.ceil(
      Math.max(observed, messages) +
        near * Math.max(0, eightHours - messages) +
        far * Math.max(0, twoDays - Math.max(messages, eightHours)) +
        farthest * Math.max(0, fourDays - Math.max(messages, twoDays)),
    )
    const points = pointsOf({ observed, cohort, minutes }, fit)
    if (points > (best?.points ?? 0)) best = { minutes, observed, messages, cohort, points }
  }
  return best
}

/** Spans of different lengths that overlap in part look like so many independent ones. */
const SPANS_LOOKED_AT = 3

/**
 * −log10 of the probability that a day of this key has such a value. A span is looked at whenever it gains a
 * failure, so a day is as many looks as it has failures, or as it has such spans: the surprise of one look is
 * lowered by their number.
 */
function pointsOf(
  {
    observed,
    cohort,
    minutes,
  }: { readonly observed: number; readonly cohort: number; readonly minutes: number },
  { share, distribution, aDay }: OutcomeFit,
): number {
  const ratio = observed / (share * cohort)
  if (ratio <= 1) return 0
  const looks = SPANS_LOOKED_AT * Math.max(1, Math.min(MINUTES_PER_DAY / minutes, 1 + aDay))
  const surprise = surpriseOfShare(observed, cohort, distribution) - Math.log10(looks)
  return Math.min(surprise, POINTS_PER_RATIO * (ratio - 1))
}

type Finding = OutcomeSpan & {
  readonly startMinute: number
  readonly oneDomain: boolean
  readonly fit: OutcomeFit
}

function evidenceOf(kind: OutcomeKind, finding: Finding): Evidence {
  const { observed, messages, cohort, minutes, oneDomain, fit } = finding
  const expected = fit.share * cohort
  const expectedHigh = usualMost(cohort, fit.distribution, expected)
  // Complaints and late bounces belong to messages from before the span too.
  const ofWhat =
    kind.timing === 'late' || messages < observed
      ? `about ${number(cohort)} messages`
      : `${number(messages)} messages in ${span(minutes)}`
  const usual =
    expectedHigh < 1
      ? 'none is usual'
      : `${number(expectedHigh)} at most are usual (expected ${number(expected)})`
  const where = oneDomain ? ', nearly all at one recipient domain' : ''
  return {
    signal: kind.signal,
    points: finding.points,
    startSeconds: finding.startMinute * 60,
    windowSeconds: minutes * 60,
    observed,
    expected,
    expectedLow: 0,
    expectedHigh,
    messages,
    holdMinutes: HOLD_MINUTES[kind.timing],
    text: `${number(observed)} of ${ofWhat} ${kind.verb} where ${usual}${where}`,
    details: {
      outcome: kind.verb,
      failures: observed,
      messages,
      cohort_messages: cohort,
      share: rounded(observed / cohort),
      usual_share: rounded(fit.share),
      span_minutes: minutes,
      one_recipient_domain: oneDomain,
    },
  }
}

/** 99 of 100 such spans have at most so many failures; found by bisection. */
function usualMost(total: number, distribution: ShareDistribution, expected: number): number {
  let low = Math.floor(expected)
  let high = total
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (surpriseOfShare(middle, total, distribution) < 2) low = middle
    else high = middle
  }
  return low
}

function rounded(value: number): number {
  return Math.round(value * 100_000) / 100_000
}

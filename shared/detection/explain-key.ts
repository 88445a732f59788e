import type { Alert, Severity, Signal } from '#shared/domain/alert.ts'
import { isoOfSeconds } from './clock.ts'
import { audiencePoints } from './content/audience-evidence.ts'
import { strangerShare } from './content/audience-state.ts'
import { topValuesOf } from './content/top-values.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { limitFor } from './evidence-book.ts'
import type { Evidence } from './evidence.ts'
import { groupOf, hasImpact, scoreOf, type EvidenceGroup, type Score } from './incident-score.ts'
import { daysBetweenScores, limitOf } from './key-calibration.ts'
import type { KeyState } from './key-state.ts'
import { describeOutcomes, type OutcomesDescription } from './outcomes/outcome-watch.ts'
import { describeVolume } from './volume/volume-watch.ts'

/** One kind of evidence that holds, with its numbers in the signal's own unit. */
export type EvidenceDescription = {
  readonly signal: Signal
  readonly group: EvidenceGroup
  readonly points: number
  readonly since: string
  readonly window_seconds: number
  readonly observed: number
  readonly expected: number
  readonly expected_low: number
  readonly expected_high: number
  readonly messages: number
  readonly text: string
}

/** What the engine thinks of one key at one time, part by part, with the numbers that decided. */
export type KeyDescription = {
  readonly source: string
  readonly key: string
  /** Times of the first and of the latest message; null before the first. */
  readonly first_message_at: string | null
  readonly latest_message_at: string | null
  readonly evidence: readonly EvidenceDescription[]
  readonly score: { readonly total: number; readonly groups: Readonly<Record<string, number>> }
  /** The score that wakes somebody, the floor under it, and what the key reaches by itself so often that it may not. */
  readonly limit: number
  readonly floor: number
  readonly own_limit: number
  /** How rare a score must be on one key: days with traffic between two of them. */
  readonly page_every_days: number
  /** The days with traffic whose largest scores are learnt from, and the largest of those and of today. */
  readonly days_learnt: number
  readonly largest_scores: readonly number[]
  readonly largest_today: number
  readonly days_between_such_scores: number
  /** Null: nothing that holds has woken anybody. */
  readonly severity: Severity | null
  /** Why it wakes somebody or does not. */
  readonly decision: string
  readonly volume: ReturnType<typeof describeVolume>
  readonly outcomes: OutcomesDescription
  readonly content: ContentDescription
}

export type ContentDescription = {
  readonly active_days: number
  readonly messages: number
  readonly audience_points: number
  readonly stranger_share: number
  readonly top_values: Alert['evidence']
}

export function describeKey(
  state: KeyState,
  given: { readonly settings: DetectionSettings; readonly pageEveryDays: number },
): KeyDescription {
  const { settings, pageEveryDays } = given
  const evidence = [...state.evidence.values()].map(({ latest }) => latest)
  const score = scoreOf(evidence)
  const limit = limitFor(state, given)
  const { maxima, largestToday } = state.calibration
  const { audience, activeDays, messages } = state.content
  return {
    source: state.source,
    key: state.key,
    first_message_at: timeOf(state.firstSeconds),
    latest_message_at: timeOf(state.headSeconds),
    evidence: evidence.map(describeEvidence).toSorted((a, b) => b.points - a.points),
    score,
    limit,
    floor: settings.pageScoreMin,
    own_limit: limitOf(state.calibration, pageEveryDays),
    page_every_days: pageEveryDays,
    days_learnt: maxima.length,
    largest_scores: maxima.toSorted((a, b) => b - a).slice(0, 5),
    largest_today: largestToday,
    days_between_such_scores: daysBetweenScores(state.calibration, score.total),
    severity: state.incident?.severity ?? null,
    decision: decisionOf({ evidence, score, limit, floor: settings.pageScoreMin }),
    volume: describeVolume(state.volume, settings, isFamiliar(state)),
    outcomes: describeOutcomes(state.outcomes),
    content: {
      active_days: activeDays,
      messages,
      audience_points: audiencePoints(audience, activeDays),
      stranger_share: strangerShare(audience),
      top_values: topValuesOf(state.content),
    },
  }
}

function timeOf(seconds: number): string | null {
  return seconds === -1 ? null : isoOfSeconds(seconds)
}

/** As long as nothing is held against what the key sends, its messages are taken to be built as usual. */
function isFamiliar(state: KeyState): boolean {
  return [...state.evidence.keys()].every((signal) => groupOf(signal) !== 'sender')
}

function describeEvidence(evidence: Evidence): EvidenceDescription {
  const { signal, points, startSeconds, windowSeconds, observed, expected, messages, text } = evidence
  return {
    signal,
    group: groupOf(signal),
    points,
    since: isoOfSeconds(startSeconds),
    window_seconds: windowSeconds,
    observed,
    expected,
    expected_low: evidence.expectedLow,
    expected_high: evidence.expectedHigh,
    messages,
    text,
  }
}

type Decided = {
  readonly evidence: readonly Evidence[]
  readonly score: Score
  readonly limit: number
  readonly floor: number
}

function decisionOf({ evidence, score, limit, floor }: Decided): string {
  if (evidence.length === 0) return 'nothing is held against it'
  if (score.total < limit) {
    return limit > floor
      ? 'below the score that this key reaches by itself now and then: nobody is woken'
      : 'below the floor that holds for every key: nobody is woken'
  }
  if (hasImpact([], score))
    return 'over the limit, and one kind of evidence is clear whoever got the mail: somebody is woken'
  if (hasImpact(evidence, score))
    return 'over the limit, with enough messages to enough recipients: somebody is woken'
  // Would it, if there were more messages of it?
  return hasImpact(
    evidence.map((one) => ({ ...one, messages: Infinity })),
    score,
  )
    ? 'over the limit, but too few messages to too few recipient domains: nobody is woken'
    : 'over the limit, but no kind of evidence is clear by itself: nobody is woken'
}

import type { Alert, Signal } from '#shared/domain/alert.ts'
import { audiencePoints } from './content/audience-evidence.ts'
import { strangerShare } from './content/audience-watch.ts'
import { topValuesOf } from './content/top-values.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { limitFor } from './evidence-book.ts'
import { hasImpact, scoreOf } from './incident-score.ts'
import { daysBetweenScores } from './key-calibration.ts'
import type { KeyState } from './key-state.ts'
import { describeOutcomes } from './outcomes/outcome-watch.ts'
import { describeVolume } from './volume/volume-watch.ts'

type Json = Alert['evidence'][string]

/** What the engine thinks of one key at one time, part by part, with the numbers that decided. */
export type KeyDescription = {
  readonly source: string
  readonly key: string
  readonly evidence: readonly { readonly signal: Signal; readonly points: number; readonly text: string }[]
  readonly score: { readonly total: number; readonly groups: Readonly<Record<string, number>> }
  /** The score that wakes somebody, the floor under it, and the largest scores of past days that it comes from. */
  readonly limit: number
  readonly floor: number
  readonly largest_scores: readonly number[]
  readonly days_between_such_scores: number
  /** Why it wakes somebody or does not. */
  readonly decision: string
  readonly volume: Json
  readonly outcomes: Json
  readonly content: Json
}

export function describeKey(
  state: KeyState,
  given: { readonly settings: DetectionSettings; readonly pageEveryDays: number },
): KeyDescription {
  const { settings } = given
  const evidence = [...state.evidence.values()].map(({ latest }) => latest)
  const score = scoreOf(evidence)
  const limit = limitFor(state, given)
  const { audience, activeDays, messages } = state.content
  return {
    source: state.source,
    key: state.key,
    evidence: evidence
      .map(({ signal, points, text }) => ({ signal, points, text }))
      .toSorted((a, b) => b.points - a.points),
    score,
    limit,
    floor: settings.pageScoreMin,
    largest_scores: state.calibration.maxima.toSorted((a, b) => b - a).slice(0, 5),
    days_between_such_scores: daysBetweenScores(state.calibration, score.total),
    decision: decisionOf({
      total: score.total,
      limit,
      impact: hasImpact(evidence, score),
      floor: settings.pageScoreMin,
    }),
    volume: describeVolume(state.volume, settings),
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

function decisionOf(given: { total: number; limit: number; impact: boolean; floor: number }): string {
  if (given.total < given.limit) {
    return given.limit > given.floor
      ? 'below the score that this key reaches by itself now and then'
      : 'below the floor that holds for every key'
  }
  return given.impact
    ? 'over the limit: somebody is woken'
    : 'over the limit, but too few messages to too few domains'
}

import type { Alert, Signal } from '#shared/domain/alert.ts'

/**
 * What one module has to say about one entity now. Points are −log10 of a probability (or log10 of a likelihood
 * ratio, which bounds one by Ville's inequality), so that points of independent evidence add up.
 */
export type Evidence = {
  readonly signal: Signal
  readonly points: number
  /** Event time of the first message that belongs to it, seconds. */
  readonly startSeconds: number
  readonly windowSeconds: number
  /** In the signal's own unit: messages, a share, days. */
  readonly observed: number
  readonly expected: number
  readonly expectedLow: number
  readonly expectedHigh: number
  /** Messages that belong to it so far. */
  readonly messages: number
  /** Distinct recipient domains among them, counted to eight; absent where it is not known. */
  readonly domains?: number
  /** Without another report for so long, the evidence is over. */
  readonly holdMinutes: number
  /**
   * A clause that follows "Key … on …:" in a sentence for a tired person, without a full stop: `43 messages in 10
   * minutes where 2 to 9 are usual (expected 5)`.
   */
  readonly text: string
  /** The numbers behind it, for people and machines. */
  readonly details: Alert['evidence']
}

/** Where modules leave their evidence; made by the engine for one entity at one time. */
export type EvidenceSink = {
  /** Cheap: whether a report of so many points would change or prolong anything. Ask before building a report. */
  readonly wants: (signal: Signal, points: number) => boolean
  readonly report: (evidence: Evidence) => void
}

/** Below this a module says nothing: one in ten is no news. */
export const POINTS_MIN = 1

/** The sum of a module's evidence counts up to this, whatever the arithmetic says: models are wrong in the far tail. */
export const POINTS_MAX = 12

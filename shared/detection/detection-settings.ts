/** What makes a count an alert. Every number here is a default that an operator may change. */
export type DetectionSettings = {
  /** Points of evidence, all kinds together, below which nobody is woken … */
  readonly pageScoreMin: number
  /** … and a key must not reach its own limit by itself more often than once in so many days with traffic. */
  readonly pageEveryDays: number
  /** Significant is not important: an excess must also be this many messages … */
  readonly excessMin: number
  /** … this share of the key's busiest usual hour … */
  readonly excessOfBusyHour: number
  /** … this many times what is expected … */
  readonly ratioMin: number
  /** … and this many times the largest window the key itself has had at this time. */
  readonly overOwnPeak: number
  /** A key younger than a day has no baseline; this many messages within ten minutes are a burst. */
  readonly youngKeyBurst: number
  /** Unattributed messages within an hour that are an alert, where practically everything is attributed … */
  readonly unattributedMin: number
  /** … which is to say that at most this share of the source's messages was not. */
  readonly unattributedShareMax: number
  /** Messages a source must have had before that share means anything. */
  readonly unattributedHistoryMin: number
  /** Messages out that make an incident critical: on an attributed key, and unattributed. */
  readonly criticalExcess: number
  readonly criticalUnattributed: number
  /** Surprise and expected count at which a source's silence is an alert. */
  readonly silenceSurprise: number
  readonly silenceExpectedMin: number
  /** Keys of one source that are judged by themselves; the rest are counted together. */
  readonly liveKeysMax: number
}

export const defaultDetectionSettings: DetectionSettings = {
  pageScoreMin: 4.7,
  pageEveryDays: 730,
  excessMin: 30,
  excessOfBusyHour: 0.25,
  ratioMin: 1.5,
  overOwnPeak: 1.25,
  youngKeyBurst: 500,
  unattributedMin: 8,
  unattributedShareMax: 0.002,
  unattributedHistoryMin: 500,
  criticalExcess: 500,
  criticalUnattributed: 100,
  silenceSurprise: 6,
  silenceExpectedMin: 8,
  liveKeysMax: 50_000,
}

import { UNATTRIBUTED, type Alert } from '#shared/domain/alert.ts'
import { baselineOf, LEARNING_DAYS, type Baseline } from './volume/baseline.ts'
import { baselineEvidence, claimRemark, learningRemark } from './volume/baseline-evidence.ts'
import { HOURS_PER_DAY, hourOfMinute } from './clock.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { incidentIdOf, openEpisode, raiseSeverity, type Episode, type Opening } from './episode.ts'
import {
  addMessages,
  createKeyHistory,
  HISTORY_MINUTES,
  messagesIn,
  setTrained,
  setTrainedBetween,
  type KeyHistory,
} from './volume/key-history.ts'
import { criticalCount, surpriseOf } from './statistics/negative-binomial.ts'
import {
  findExcess,
  limitsFor,
  startOfBurst,
  windowDistribution,
  type Limits,
} from './volume/volume-limits.ts'

/** Messages later than this against the key's own clock are counted but start nothing. */
const JUDGED_LATENESS_MINUTES = 10
/** Alerts on one key within an hour of each other are one incident. */
const INCIDENT_MINUTES = 60
const UNATTRIBUTED_WINDOW_MINUTES = 60
const UNATTRIBUTED_SCALE_INDEX = 2
/** The surprise that unattributed mail must reach against its own history; the floor does the rest. */
const UNATTRIBUTED_SURPRISE = 6

/** A key this old has shown its habits, however seldom it sends. */
const LEARNING_AGE_DAYS = 14

/** Everything that is remembered about one key of one source. */
export type KeyWatch = {
  readonly source: string
  readonly key: string
  readonly history: KeyHistory
  baseline: Baseline | undefined
  limits: Limits | undefined
  spike: Episode | undefined
  unattributed: Episode | undefined
  /** Windows begin here at the earliest: what an episode has held is not judged again. */
  judgedFrom: number
  unattributedJudgedFrom: number
  incident: { readonly id: string; lastMinute: number } | undefined
  /** Arrival clock of the latest message, milliseconds. */
  lastArrivalMs: number
  /** The rule that named the key in the latest message. */
  attribution: string
}

/** What a key's source adds to its judgement. */
export type WatchContext = {
  readonly settings: DetectionSettings
  /** Practically everything on this source is attributed. */
  readonly attributedSource: boolean
  /** The source has had traffic for longer than a day; before that nothing is unusual. */
  readonly matureSource: boolean
  readonly emit: (alert: Alert) => void
}

export function createKeyWatch(source: string, key: string): KeyWatch {
  return {
    source,
    key,
    history: createKeyHistory(),
    baseline: undefined,
    limits: undefined,
    spike: undefined,
    unattributed: undefined,
    judgedFrom: 0,
    unattributedJudgedFrom: 0,
    incident: undefined,
    lastArrivalMs: 0,
    attribution: '',
  }
}

/** Counts one message and judges the windows that end with its minute. */
export function countMessage(
  watch: KeyWatch,
  message: { readonly minute: number; readonly nowMs: number },
  context: WatchContext,
): void {
  const { minute, nowMs } = message
  addMessages(watch.history, minute, 1)
  for (const episode of [watch.spike, watch.unattributed]) {
    if (episode === undefined || minute < episode.startMinute) continue
    episode.messages += 1
    if (!episode.trains) setTrained(watch.history, hourOfMinute(minute), false)
    const raised = raiseSeverity(episode, { minute, nowMs }, context.settings)
    if (raised !== undefined) context.emit(raised)
  }
  if (minute < watch.history.headMinute - JUDGED_LATENESS_MINUTES) return
  judgeMinute(watch, message, context)
}

/**
 * Judges the windows that end with each of the last minutes, as if their messages came now. For an excess that was
 * stored but not announced before a restart; one that was announced has its episode and is left alone.
 */
export function judgeAgain(watch: KeyWatch, nowMs: number, context: WatchContext): void {
  const head = watch.history.headMinute
  for (let minute = Math.max(0, head - HISTORY_MINUTES / 2); minute <= head; minute += 1) {
    judgeMinute(watch, { minute, nowMs }, context)
  }
  for (const episode of [watch.spike, watch.unattributed]) {
    if (episode === undefined) continue
    const raised = raiseSeverity(episode, { minute: head, nowMs }, context.settings)
    if (raised !== undefined) context.emit(raised)
  }
}

function judgeMinute(
  watch: KeyWatch,
  message: { readonly minute: number; readonly nowMs: number },
  context: WatchContext,
): void {
  if (!context.matureSource) return
  if (watch.spike === undefined && message.minute >= watch.judgedFrom) judgeVolume(watch, message, context)
  const strict = watch.key === UNATTRIBUTED && context.attributedSource
  if (strict && watch.unattributed === undefined && message.minute >= watch.unattributedJudgedFrom) {
    judgeUnattributed(watch, message, context)
  }
}

function judgeVolume(
  watch: KeyWatch,
  { minute, nowMs }: { readonly minute: number; readonly nowMs: number },
  context: WatchContext,
): void {
  const baseline = baselineFor(watch, minute)
  if (watch.limits?.minute !== minute || watch.limits === undefined) {
    watch.limits = limitsFor(baseline, minute, context.settings)
  }
  const excess = findExcess(watch.history, {
    baseline,
    limits: watch.limits,
    endMinute: minute,
    fromMinute: watch.judgedFrom,
  })
  if (excess === undefined) return
  const startMinute = startOfBurst(watch.history, {
    baseline,
    endMinute: minute,
    fromMinute: watch.judgedFrom,
  })
  const scaleMinutes = ([1, 10, 60] as const)[excess.scaleIndex]
  watch.spike = open(watch, context, {
    signal: 'volume.spike',
    startMinute,
    scaleMinutes,
    observed: excess.observed,
    distribution: excess.distribution,
    surprise: excess.surprise,
    nowMs,
    remarks: [learningRemark(baseline), claimRemark(watch.key, watch.attribution)],
    evidence: baselineEvidence(baseline),
  })
}

/** Where practically everything is attributed, a handful of messages that are not is the face of a stolen key. */
function judgeUnattributed(
  watch: KeyWatch,
  { minute, nowMs }: { readonly minute: number; readonly nowMs: number },
  context: WatchContext,
): void {
  const window = {
    endMinute: minute,
    length: UNATTRIBUTED_WINDOW_MINUTES,
    fromMinute: watch.unattributedJudgedFrom,
  }
  const observed = messagesIn(watch.history, window)
  if (observed < context.settings.unattributedMin) return
  const baseline = baselineFor(watch, minute)
  const distribution = windowDistribution(baseline, minute, UNATTRIBUTED_SCALE_INDEX)
  const ownPeak = baseline.peaks[UNATTRIBUTED_SCALE_INDEX] * context.settings.overOwnPeak
  if (observed <= ownPeak || observed < criticalCount(distribution, UNATTRIBUTED_SURPRISE)) return
  watch.unattributed = open(watch, context, {
    signal: 'key.unattributed',
    startMinute: firstMinuteWithMessages(watch.history, window),
    scaleMinutes: UNATTRIBUTED_WINDOW_MINUTES,
    observed,
    distribution,
    surprise: surpriseOf(observed, distribution),
    nowMs,
    remarks: ['Practically everything on this source names its key; these messages name none.'],
    evidence: baselineEvidence(baseline),
  })
}

function open(
  watch: KeyWatch,
  context: WatchContext,
  opening: Omit<Opening, 'source' | 'key' | 'messages' | 'incidentId' | 'trains'>,
): Episode {
  const { startMinute } = opening
  const joins = watch.incident !== undefined && startMinute <= watch.incident.lastMinute + INCIDENT_MINUTES
  const incidentId =
    joins && watch.incident !== undefined ? watch.incident.id : incidentIdOf(watch, startMinute)
  const head = watch.history.headMinute
  watch.incident = { id: incidentId, lastMinute: Math.max(head, watch.incident?.lastMinute ?? 0) }
  const messages = messagesIn(watch.history, {
    endMinute: head,
    length: head - startMinute + 1,
    fromMinute: startMinute,
  })
  const trains = isLearning(watch, baselineFor(watch, head))
  if (!trains) setTrainedBetween(watch.history, { startMinute, endMinute: head }, false)
  const { source, key } = watch
  const episode = openEpisode({ ...opening, source, key, messages, incidentId, trains }, context.settings)
  context.emit(episode.alert)
  return episode
}

/** The baseline of the minute's hour; kept, because it changes once an hour. */
function baselineFor(watch: KeyWatch, minute: number): Baseline {
  // A straggler of the hour before is judged with the present baseline, which knows what that hour expects.
  const head = watch.history.headMinute
  const hour = hourOfMinute(minute >= head - JUDGED_LATENESS_MINUTES ? head : minute)
  if (watch.baseline?.hour === hour) return watch.baseline
  watch.baseline = baselineOf(watch.history, hour)
  watch.limits = undefined
  return watch.baseline
}

function firstMinuteWithMessages(
  history: KeyHistory,
  window: { endMinute: number; length: number; fromMinute: number },
): number {
  const first = Math.max(window.endMinute - window.length + 1, window.fromMinute)
  for (let minute = first; minute < window.endMinute; minute += 1) {
    if (messagesIn(history, { endMinute: minute, length: 1, fromMinute: 0 }) > 0) return minute
  }
  return window.endMinute
}

/**
 * A key that has neither a week of active days nor a fortnight behind it learns from everything: its first bursts
 * are alerts because nothing is known, and must not stay alerts for ever because nothing may be learnt.
 */
function isLearning(watch: KeyWatch, baseline: Baseline): boolean {
  const ageDays = (baseline.hour - watch.history.firstHour) / HOURS_PER_DAY
  return baseline.activeDays < LEARNING_DAYS && ageDays < LEARNING_AGE_DAYS
}

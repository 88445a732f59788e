import { baselineOf } from './volume/baseline.ts'
import { hourOfMinute } from './clock.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { closeEpisode, type Episode } from './episode.ts'
import { HISTORY_MINUTES, messagesIn } from './volume/key-history.ts'
import type { KeyWatch, WatchContext } from './key-watch.ts'
import { surpriseOf } from './statistics/negative-binomial.ts'
import { isYoung, windowDistribution } from './volume/volume-limits.ts'

/** An episode is over after this much calm, or two of its windows, whichever is longer. */
const CALM_MINUTES = 10
/** Unattributed mail comes as a trickle as well: its episode ends after an hour without any. */
const UNATTRIBUTED_CALM_MINUTES = 60

/**
 * Looks at an open episode's minutes up to and including `lastMinute`, and ends it when it has been calm for long
 * enough. `nowMs` is the arrival clock.
 */
export function checkCalm(
  watch: KeyWatch,
  given: { readonly lastMinute: number; readonly nowMs: number },
  context: WatchContext,
): void {
  const { spike, unattributed } = watch
  if (spike !== undefined) {
    const calmMinutes = Math.max(CALM_MINUTES, 2 * spike.scaleMinutes)
    const isBusy = (minute: number) => isAboveCalm(watch, spike, { minute, settings: context.settings })
    if (passesCalm(spike, { ...given, calmMinutes, isBusy })) {
      watch.spike = undefined
      watch.judgedFrom = spike.lastBusyMinute + 1
      finish(watch, spike, given.nowMs, context)
    }
  }
  if (unattributed !== undefined) {
    const isBusy = (minute: number) =>
      messagesIn(watch.history, { endMinute: minute, length: 1, fromMinute: 0 }) > 0
    if (passesCalm(unattributed, { ...given, calmMinutes: UNATTRIBUTED_CALM_MINUTES, isBusy })) {
      watch.unattributed = undefined
      watch.unattributedJudgedFrom = unattributed.lastBusyMinute + 1
      finish(watch, unattributed, given.nowMs, context)
    }
  }
}

function passesCalm(
  episode: Episode,
  given: { lastMinute: number; calmMinutes: number; isBusy: (minute: number) => boolean },
): boolean {
  // Minutes that have left the ring cannot be looked at; an episode older than that is busy where it stands.
  const first = Math.max(episode.checkedMinute + 1, given.lastMinute - HISTORY_MINUTES + 1)
  if (first > episode.checkedMinute + 1) episode.lastBusyMinute = Math.max(episode.lastBusyMinute, first)
  for (let minute = first; minute <= given.lastMinute; minute += 1) {
    episode.checkedMinute = minute
    if (given.isBusy(minute)) episode.lastBusyMinute = minute
    else if (minute - episode.lastBusyMinute >= given.calmMinutes) return true
  }
  return false
}

function isAboveCalm(
  watch: KeyWatch,
  episode: Episode,
  given: { minute: number; settings: DetectionSettings },
): boolean {
  const baseline = baselineOf(watch.history, hourOfMinute(given.minute))
  const scaleIndex = episode.scaleMinutes === 1 ? 0 : episode.scaleMinutes === 10 ? 1 : 2
  const observed = messagesIn(watch.history, {
    endMinute: given.minute,
    length: episode.scaleMinutes,
    fromMinute: episode.startMinute,
  })
  if (observed === 0) return false
  if (isYoung(baseline)) return observed >= given.settings.youngKeyBurst / 2
  return (
    surpriseOf(observed, windowDistribution(baseline, given.minute, scaleIndex)) >=
    given.settings.calmSurprise
  )
}

function finish(watch: KeyWatch, episode: Episode, nowMs: number, context: WatchContext): void {
  if (watch.incident !== undefined) {
    watch.incident.lastMinute = Math.max(watch.incident.lastMinute, episode.lastBusyMinute)
  }
  context.emit(closeEpisode(episode, nowMs))
}

import type { DetectionSettings } from '../detection-settings.ts'
import { HOURS_PER_DAY } from '../clock.ts'
import { calendarFactor } from './calendar.ts'
import { familiarSize } from './sends.ts'
import { sleepingRate } from './sleeping-hours.ts'
import { ensureProfile, expectedBetween, expectedInHour } from './volume-profile.ts'
import { shortPeaks } from './volume-settle.ts'
import { scales, SLOT_FIELDS, SLOTS, type ScaleIndex, type VolumeState } from './volume-state.ts'

/**
 * Fields of a slot: what holds for all windows that end within one hour, made once for the hour. Five each (one for
 * each scale): the count from which a window is looked at, what is expected, its dispersion, the largest window
 * around this time of day, the largest at any time, and the ends of the usual interval (−1 until asked for).
 */
const HOUR = 0
export const LIMIT = 1
const MEAN = 6
const DISPERSION = 11
const NEAR = 16
const ANY = 21
export const LOW = 26
export const HIGH = 31
/** Expected in the sleeping hours that end with this one (0: the hour is not one), and how many came before it. */
export const SLEEP_MEAN = 36
export const SLEEP_BEFORE = 37
/** Messages of a send of familiar size. */
export const FAMILIAR_SIZE = 38
export const YOUNG = 39
/** The last count looked at and its points, for each scale and for sleeping hours. */
export const SEEN = 40
export const POINTS = 46

/** Clustering within the hour assumed at 1 and at 10 minutes (1 = even), and its weight in hours. */
const CLUSTERING_PRIOR = [1.5, 1.3] as const
const CLUSTERING_PRIOR_HOURS = 12
const DISPERSION_MAX = 20
/** The burst rule of young keys: times its own largest window, of which it may have shown one. */
const YOUNG_OVER_OWN_PEAK = 2
/** A night or a weekend's day: sleeping hours are counted together up to here. */
const SLEEP_HOURS_MAX = 6

/** Where the slot of an hour begins; made when it is not at hand. */
export function slotOf(state: VolumeState, hour: number, settings: DetectionSettings): number {
  const at = (hour % SLOTS) * SLOT_FIELDS
  if (state.slots[at + HOUR] !== hour) fillSlot(state, { hour, at }, settings)
  return at
}

export function forgetSlots(state: VolumeState): void {
  for (let slot = 0; slot < state.slots.length; slot += SLOT_FIELDS) state.slots[slot + HOUR] = -1
}

function fillSlot(
  state: VolumeState,
  { hour, at }: { hour: number; at: number },
  settings: DetectionSettings,
): void {
  ensureProfile(state, hour)
  const { slots, learnt } = state
  slots.fill(0, at, at + SLOT_FIELDS)
  slots[at + HOUR] = hour
  const young = isYoung(state)
  slots[at + YOUNG] = young ? 1 : 0
  // What is settled by now is the same whichever message of the hour comes first.
  slots[at + FAMILIAR_SIZE] = young || learnt.burstKey ? familiarSize(state, (hour - 2) * 60) : 0
  const today = Math.max(1, calendarFactor(state, hour))
  const thisDay = Math.max(today, calendarFactor(state, hour - HOURS_PER_DAY))
  for (const index of [0, 1, 2, 3, 4] as const) {
    const mean = expectedIn(state, hour, index) * (index < 4 ? today : thisDay)
    const peaks = peaksOf(state, { hour, scaleIndex: index, learning: learnt.learning })
    slots[at + MEAN + index] = mean
    slots[at + DISPERSION + index] = dispersionOf(state, index)
    slots[at + NEAR + index] = peaks.near
    slots[at + ANY + index] = peaks.any
    slots[at + LOW + index] = -1
    slots[at + LIMIT + index] = young
      ? youngLimit(index, { any: peaks.any, familiar: slots[at + FAMILIAR_SIZE] ?? 0 }, settings)
      : floorFor({ mean, near: peaks.near, busyHour: learnt.busyHour }, settings)
  }
  if (young) return
  let before = 0
  let sleepMean = sleepingRate(state, hour)
  if (sleepMean === 0) return
  for (; before < SLEEP_HOURS_MAX - 1; before += 1) {
    const rate = sleepingRate(state, hour - before - 1)
    if (rate === 0) break
    sleepMean += rate
  }
  slots[at + SLEEP_MEAN] = sleepMean
  slots[at + SLEEP_BEFORE] = before
}

/** Whether the key has too short a history for a baseline, so that the burst rule stands in for it. */
export function isYoung({ learnt }: VolumeState): boolean {
  return learnt.trainedHours < HOURS_PER_DAY || learnt.activeDays < 2
}

/**
 * Expected in a window that ends within the hour: of the hour itself and its neighbours the one with most, because
 * jobs start early and late, windows straddle hours, and twice a year every clock is an hour off.
 */
function expectedIn(state: VolumeState, hour: number, scaleIndex: ScaleIndex): number {
  const length = scales[scaleIndex]
  const hours = Math.max(1, length / 60)
  const sum = expectedBetween(state, hour - hours + 1, hour)
  // A whole day has every hour in it once, however clocks stand.
  if (hours >= HOURS_PER_DAY) return sum
  const earlier = sum + expectedInHour(state, hour - hours) - expectedInHour(state, hour)
  const later = sum + expectedInHour(state, hour + 1) - expectedInHour(state, hour - hours + 1)
  const most = Math.max(sum, earlier, later)
  return length < 60 ? (most * length) / 60 : most
}

function dispersionOf(state: VolumeState, scaleIndex: ScaleIndex): number {
  const [hourly, six, daily] = state.learnt.dispersions
  if (scaleIndex >= 2) return scaleIndex === 2 ? hourly : scaleIndex === 3 ? six : daily
  const { clusters } = state
  const own = clusters.even === 0 ? 1 : (scaleIndex === 0 ? clusters.minute : clusters.ten) / clusters.even
  const prior = CLUSTERING_PRIOR[scaleIndex === 0 ? 0 : 1]
  const hours = clusters.hours + CLUSTERING_PRIOR_HOURS
  const clustering = Math.max(1, (clusters.hours * own + CLUSTERING_PRIOR_HOURS * prior) / hours)
  // Var of a window: the hour varies, and the window's share of the hour varies on top of it.
  return Math.min(DISPERSION_MAX, (1 + hourly) * clustering - 1)
}

function peaksOf(
  state: VolumeState,
  given: { readonly hour: number; readonly scaleIndex: ScaleIndex; readonly learning: boolean },
): { near: number; any: number } {
  const { scaleIndex } = given
  const { peaks, burstKey } = state.learnt
  if (scaleIndex >= 3) {
    const largest = peaks[scaleIndex === 3 ? 1 : 2]
    return { near: largest, any: largest }
  }
  const short = shortPeaks(state, { ...given, scaleIndex: scaleIndex === 0 ? 0 : scaleIndex === 1 ? 1 : 2 })
  return burstKey || given.learning ? { near: short.any, any: short.any } : short
}

type Usual = { readonly mean: number; readonly near: number; readonly busyHour: number }

function floorFor(usual: Usual, settings: DetectionSettings): number {
  const floors = floorsOf(usual, settings)
  return Math.ceil(Math.max(floors.excess_min, floors.excess_of_busy_hour, floors.ratio_min, floors.own_peak))
}

/** The counts from which a window is looked at, by the setting or habit that asks for it; all of them must be reached. */
export function floorsOf({ mean, near, busyHour }: Usual, settings: DetectionSettings) {
  return {
    excess_min: mean + settings.excessMin,
    excess_of_busy_hour: mean + settings.excessOfBusyHour * busyHour,
    ratio_min: mean * settings.ratioMin,
    own_peak: near * settings.overOwnPeak + 1,
  }
}

const YOUNG_SCALE_INDEX = 1

function youngLimit(
  scaleIndex: ScaleIndex,
  { any, familiar }: { any: number; familiar: number },
  settings: DetectionSettings,
): number {
  if (scaleIndex !== YOUNG_SCALE_INDEX) return Infinity
  return Math.ceil(Math.max(settings.youngKeyBurst, any * YOUNG_OVER_OWN_PEAK, familiar))
}

/** What a slot says about windows of one scale. */
export function windowOf(
  { slots }: VolumeState,
  at: number,
  scaleIndex: ScaleIndex,
): { mean: number; dispersion: number; near: number; any: number } {
  return {
    mean: slots[at + MEAN + scaleIndex] ?? 0,
    dispersion: slots[at + DISPERSION + scaleIndex] ?? 0,
    near: slots[at + NEAR + scaleIndex] ?? 0,
    any: slots[at + ANY + scaleIndex] ?? 0,
  }
}

import { below, exponential, gammaFactor, normal, Random } from './random.ts'
import { offsetHours, type Zone } from './zone.ts'

export const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const DAY_MS = 24 * HOUR_MS
const MINUTES_PER_DAY = 1440
/** Within a slot the rate is constant; ten minutes follow a working day's slopes closely enough. */
const SLOT_MS = 10 * MINUTE_MS
/** A send is planned for its own local day; a late or long one may reach into the next two. */
const BATCH_DAYS_BACK = 2

/** Relative volume of the 24 local hours; only the proportions matter. */
export type DayProfile = readonly number[]

/** People's or machines' traffic all through the week, over-dispersed as gamma-mixed Poisson. */
export type SteadyHabit = {
  readonly kind: 'steady'
  readonly messagesPerWeek: number
  readonly workingDay: DayProfile
  /** On the same scale as `workingDay`: all zero for a key that rests at weekends. */
  readonly weekend: DayProfile
  /** Home time zones, each with its share of the traffic. */
  readonly zones: readonly (readonly [zone: Zone, share: number])[]
  /** Shapes of the gamma factors of a whole day and of one hour; the smaller, the more uneven. */
  readonly dayShape: number
  readonly hourShape: number
}

/** Sends that a scheduler starts at set local times, each in one run. */
export type BatchHabit = {
  readonly kind: 'batch'
  /** Local weekdays, 0 = Sunday. */
  readonly weekdays: readonly number[]
  /**
   * Days of the month instead of weekdays, counted from 1, or backwards from −1 for the last. One that falls on a
   * weekend moves to the nearest working day of the same month.
   */
  readonly monthDays?: readonly number[]
  /** Local starting times, minutes after midnight. */
  readonly startMinutes: readonly number[]
  /** Deviation of the start, minutes; it never starts early. */
  readonly startJitterMinutes: number
  readonly sizeMedian: number
  /** Deviation of the logarithm of the size. */
  readonly sizeSigma: number
  readonly messagesPerSecond: number
  readonly zone: Zone
  /** How many recipients share one API call, and so one message id: at most SendGrid's 1000. */
  readonly recipientsPerSend: number
}

/** One run at a changing rate and then nothing: what a script with a stolen key does. */
export type BurstHabit = {
  readonly kind: 'burst'
  readonly fromMs: number
  readonly durationMs: number
  readonly messagesPerSecondMin: number
  readonly messagesPerSecondMax: number
}

/** One run of a scheduler out of turn, or mails that somebody sends by hand. */
export type RunHabit = {
  readonly kind: 'run'
  readonly fromMs: number
  readonly messages: number
  readonly messagesPerSecond: number
  readonly recipientsPerSend: number
}

export type Habit = SteadyHabit | BatchHabit | BurstHabit | RunHabit

/** Multiplies a habit's volume at an instant: growth, seasons, pauses. A batch goes by the instant of its start. */
export type Volume = (atMs: number) => number

/** One message's time and place in its key's life: `block` and `index` name its own random stream. */
export type Arrival = { readonly atMs: number; readonly block: number; readonly index: number }

/**
 * The messages that a key sends within one hour (UTC, counted from the epoch), not sorted.
 *
 * Every hour can be asked for by itself and is always the same for one seed, so that a range may begin and end
 * anywhere. `rate` and `volume` multiply the volume of steady and batch habits. Bursts and single runs are what they are.
 */
export function arrivalsOfHour(
  habit: Habit,
  hour: number,
  stream: {
    readonly seed: number
    readonly keyNumber: number
    readonly rate: number
    readonly volume?: Volume | undefined
  },
): Arrival[] {
  const { seed, keyNumber, rate, volume = always } = stream
  const random = (...parts: readonly number[]) => new Random(seed, keyNumber, ...parts)
  switch (habit.kind) {
    case 'steady':
      return steadyArrivals(habit, hour, { random, rate, volume })
    case 'batch':
      return batchArrivals(habit, hour, { random, rate, volume })
    case 'burst':
      return burstArrivals(habit, hour, random(0, habit.fromMs))
    case 'run':
      return runArrivals(habit, hour)
    default:
      return habit satisfies never
  }
}

const always: Volume = () => 1

type Draws = {
  readonly random: (...parts: readonly number[]) => Random
  readonly rate: number
  readonly volume: Volume
}

function steadyArrivals(habit: SteadyHabit, hour: number, { random, rate, volume }: Draws): Arrival[] {
  const arrivals: Arrival[] = []
  const own = random(1, hour)
  const hourFactor = gammaFactor(own, habit.hourShape)
  const hourMs = hour * HOUR_MS
  // Zones are whole hours from UTC, so an hour lies within one local day.
  const day = localDay(hourMs, habit.zones[0]?.[0] ?? 0)
  const dayFactor = gammaFactor(random(2, day), habit.dayShape)
  for (let slotMs = hourMs; slotMs < hourMs + HOUR_MS; slotMs += SLOT_MS) {
    const middleMs = slotMs + SLOT_MS / 2
    const mean = expectedPerHour(habit, middleMs) * (SLOT_MS / HOUR_MS) * rate * volume(middleMs)
    if (mean <= 0) continue
    const gapMs = SLOT_MS / (mean * dayFactor * hourFactor)
    for (
      let atMs = slotMs + exponential(own, gapMs);
      atMs < slotMs + SLOT_MS;
      atMs += exponential(own, gapMs)
    ) {
      arrivals.push({ atMs: Math.floor(atMs), block: hour, index: arrivals.length })
    }
  }
  return arrivals
}

/** Expected messages per hour of a steady habit at an instant, before chance and `rate`. */
export function expectedPerHour(habit: SteadyHabit, atMs: number): number {
  const week = 5 * sum(habit.workingDay) + 2 * sum(habit.weekend)
  return habit.zones.reduce((total, [zone, share]) => {
    const localMs = atMs + offsetHours(zone, atMs) * HOUR_MS
    return total + (share * habit.messagesPerWeek * weightAt(habit, localMs)) / week
  }, 0)
}

/** Linear between the middles of the hours, so that a day has slopes and not steps. */
function weightAt(habit: SteadyHabit, localMs: number): number {
  const position = localMs / HOUR_MS - 0.5
  const before = Math.floor(position)
  const part = position - before
  return hourWeight(habit, before) * (1 - part) + hourWeight(habit, before + 1) * part
}

function hourWeight(habit: SteadyHabit, localHour: number): number {
  const weekday = weekdayOf(Math.floor(localHour / 24))
  const profile = weekday === 0 || weekday === 6 ? habit.weekend : habit.workingDay
  return profile[((localHour % 24) + 24) % 24] ?? 0
}

/** Deviations beyond this many are cut, so that a run's latest end is known before it is drawn. */
const DEVIATIONS_MAX = 4

function batchArrivals(habit: BatchHabit, hour: number, draws: Draws): Arrival[] {
  const arrivals: Arrival[] = []
  const hourMs = hour * HOUR_MS
  const today = localDay(hourMs, habit.zone)
  for (let day = today - BATCH_DAYS_BACK; day <= today + 1; day++) {
    if (!runsOn(habit, day)) continue
    for (const startMinute of habit.startMinutes) addRun(arrivals, habit, { hourMs, day, startMinute }, draws)
  }
  return arrivals
}

/** Adds the part of one run that lies within the hour. */
function addRun(
  arrivals: Arrival[],
  habit: BatchHabit,
  run: { readonly hourMs: number; readonly day: number; readonly startMinute: number },
  { random, rate, volume }: Draws,
) {
  const { hourMs, day, startMinute } = run
  const block = day * MINUTES_PER_DAY + startMinute
  const localMs = block * MINUTE_MS
  const plannedMs = localMs - offsetHours(habit.zone, localMs) * HOUR_MS
  if (plannedMs >= hourMs + HOUR_MS) return
  const median = habit.sizeMedian * rate * volume(plannedMs)
  const gapMs = 1000 / (habit.messagesPerSecond * rate)
  const longestMs =
    DEVIATIONS_MAX * habit.startJitterMinutes * MINUTE_MS +
    (median * Math.exp(DEVIATIONS_MAX * habit.sizeSigma) + 1) * gapMs
  if (plannedMs + longestMs < hourMs) return
  const own = random(3, block)
  const startMs = plannedMs + Math.abs(boundedNormal(own)) * habit.startJitterMinutes * MINUTE_MS
  const size = Math.round(median * Math.exp(habit.sizeSigma * boundedNormal(own)))
  addEvenly(arrivals, hourMs, { startMs, gapMs, size, block })
}

/** The part of a run at an even pace that lies within the hour. */
function addEvenly(
  arrivals: Arrival[],
  hourMs: number,
  run: { readonly startMs: number; readonly gapMs: number; readonly size: number; readonly block: number },
) {
  const { startMs, gapMs, size, block } = run
  const first = Math.max(0, Math.floor((hourMs - startMs) / gapMs))
  const end = Math.min(size, Math.ceil((hourMs + HOUR_MS - startMs) / gapMs) + 1)
  for (let index = first; index < end; index++) {
    const atMs = Math.floor(startMs + index * gapMs)
    if (atMs >= hourMs && atMs < hourMs + HOUR_MS) arrivals.push({ atMs, block, index })
  }
}

function boundedNormal(random: Random): number {
  return Math.max(-DEVIATIONS_MAX, Math.min(DEVIATIONS_MAX, normal(random)))
}

function runsOn(habit: BatchHabit, day: number): boolean {
  if (habit.monthDays === undefined) return habit.weekdays.includes(weekdayOf(day))
  const date = new Date(day * DAY_MS)
  return habit.monthDays.some((monthDay) => {
    const month = date.getUTCMonth() + (monthDay < 0 ? 1 : 0)
    return (
      nearestWorkingDay(Date.UTC(date.getUTCFullYear(), month, monthDay < 0 ? monthDay + 1 : monthDay)) ===
      day
    )
  })
}

/** The day itself, or the nearest working day of the same month, counted from the epoch. */
function nearestWorkingDay(atMs: number): number {
  const day = Math.floor(atMs / DAY_MS)
  const weekday = weekdayOf(day)
  if (weekday !== 0 && weekday !== 6) return day
  const [shorter, longer] = weekday === 6 ? [day - 1, day + 2] : [day + 1, day - 2]
  return new Date(shorter * DAY_MS).getUTCMonth() === new Date(atMs).getUTCMonth() ? shorter : longer
}

function runArrivals(habit: RunHabit, hour: number): Arrival[] {
  const { fromMs: startMs, messages: size, messagesPerSecond } = habit
  const arrivals: Arrival[] = []
  addEvenly(arrivals, hour * HOUR_MS, {
    startMs,
    gapMs: 1000 / messagesPerSecond,
    size,
    block: Math.floor(startMs / 1000),
  })
  return arrivals
}

/** How long a script keeps one rate before it speeds up or slows down. */
const BURST_STEP_MS = 10_000

function burstArrivals(habit: BurstHabit, hour: number, random: Random): Arrival[] {
  const hourMs = hour * HOUR_MS
  if (habit.fromMs >= hourMs + HOUR_MS || habit.fromMs + habit.durationMs < hourMs) return []
  const arrivals: Arrival[] = []
  const endMs = habit.fromMs + habit.durationMs
  const block = Math.floor(habit.fromMs / 1000)
  for (let stepMs = habit.fromMs; stepMs < endMs; stepMs += BURST_STEP_MS) {
    const span = habit.messagesPerSecondMax - habit.messagesPerSecondMin
    const perSecond = habit.messagesPerSecondMin + span * random.next()
    const gapMs = 1000 / perSecond
    const stepEndMs = Math.min(stepMs + BURST_STEP_MS, endMs)
    // A loop over a list sends evenly, give or take the API's answer times.
    for (
      let atMs = stepMs + below(random, gapMs);
      atMs < stepEndMs;
      atMs += gapMs * (0.7 + 0.6 * random.next())
    ) {
      arrivals.push({ atMs: Math.floor(atMs), block, index: arrivals.length })
    }
  }
  return arrivals.filter(({ atMs }) => atMs >= hourMs && atMs < hourMs + HOUR_MS)
}

function localDay(atMs: number, zone: Zone): number {
  return Math.floor((atMs + offsetHours(zone, atMs) * HOUR_MS) / DAY_MS)
}

/** Weekday of a day counted from the epoch, 0 = Sunday: 1 January 1970 was a Thursday. */
function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

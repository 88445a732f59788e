import { below, exponential, gammaFactor, logNormal, normal, Random } from './random.ts'

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
  /** Home time zones as hours ahead of UTC, each with its share of the traffic. */
  readonly zones: readonly (readonly [offsetHours: number, share: number])[]
  /** Shapes of the gamma factors of a whole day and of one hour; the smaller, the more uneven. */
  readonly dayShape: number
  readonly hourShape: number
}

/** Sends that a scheduler starts at set local times, each in one run. */
export type BatchHabit = {
  readonly kind: 'batch'
  /** Local weekdays, 0 = Sunday. */
  readonly weekdays: readonly number[]
  /** Local starting times, minutes after midnight. */
  readonly startMinutes: readonly number[]
  /** Deviation of the start, minutes; it never starts early. */
  readonly startJitterMinutes: number
  readonly sizeMedian: number
  /** Deviation of the logarithm of the size. */
  readonly sizeSigma: number
  readonly messagesPerSecond: number
  readonly offsetHours: number
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

export type Habit = SteadyHabit | BatchHabit | BurstHabit

/** One message's time and place in its key's life: `block` and `index` name its own random stream. */
export type Arrival = { readonly atMs: number; readonly block: number; readonly index: number }

/**
 * The messages that a key sends within one hour (UTC, counted from the epoch), not sorted.
 *
 * Every hour can be asked for by itself and is always the same for one seed, so that a range may begin and end
 * anywhere. `rate` multiplies the volume of steady and batch habits. A burst is what it is.
 */
export function arrivalsOfHour(
  habit: Habit,
  hour: number,
  stream: { readonly seed: number; readonly keyNumber: number; readonly rate: number },
): Arrival[] {
  const { seed, keyNumber, rate } = stream
  const random = (...parts: readonly number[]) => new Random(seed, keyNumber, ...parts)
  switch (habit.kind) {
    case 'steady':
      return steadyArrivals(habit, hour, { random, rate })
    case 'batch':
      return batchArrivals(habit, hour, { random, rate })
    case 'burst':
      return burstArrivals(habit, hour, random(0, habit.fromMs))
    default:
      return habit satisfies never
  }
}

type Draws = { readonly random: (...parts: readonly number[]) => Random; readonly rate: number }

function steadyArrivals(habit: SteadyHabit, hour: number, { random, rate }: Draws): Arrival[] {
  const arrivals: Arrival[] = []
  const own = random(1, hour)
  const hourFactor = gammaFactor(own, habit.hourShape)
  const hourMs = hour * HOUR_MS
  for (let slotMs = hourMs; slotMs < hourMs + HOUR_MS; slotMs += SLOT_MS) {
    const mean = expectedPerHour(habit, slotMs + SLOT_MS / 2) * (SLOT_MS / HOUR_MS) * rate
    if (mean <= 0) continue
    const dayFactor = gammaFactor(random(2, localDay(slotMs, mainOffset(habit))), habit.dayShape)
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
  return habit.zones.reduce((total, [offsetHours, share]) => {
    const localMs = atMs + offsetHours * HOUR_MS
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

function batchArrivals(habit: BatchHabit, hour: number, { random, rate }: Draws): Arrival[] {
  const arrivals: Arrival[] = []
  const hourMs = hour * HOUR_MS
  const today = localDay(hourMs, habit.offsetHours)
  for (let day = today - BATCH_DAYS_BACK; day <= today + 1; day++) {
    if (!habit.weekdays.includes(weekdayOf(day))) continue
    for (const startMinute of habit.startMinutes) {
      const block = day * MINUTES_PER_DAY + startMinute
      const own = random(3, block)
      const delayMs = Math.abs(normal(own)) * habit.startJitterMinutes * MINUTE_MS
      const startMs = block * MINUTE_MS - habit.offsetHours * HOUR_MS + delayMs
      const size = Math.round(logNormal(own, habit.sizeMedian, habit.sizeSigma) * rate)
      const gapMs = 1000 / (habit.messagesPerSecond * rate)
      const first = Math.max(0, Math.ceil((hourMs - startMs) / gapMs))
      const end = Math.min(size, Math.ceil((hourMs + HOUR_MS - startMs) / gapMs))
      for (let index = first; index < end; index++) {
        arrivals.push({ atMs: Math.floor(startMs + index * gapMs), block, index })
      }
    }
  }
  return arrivals.filter(({ atMs }) => atMs >= hourMs && atMs < hourMs + HOUR_MS)
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

function localDay(atMs: number, offsetHours: number): number {
  return Math.floor((atMs + offsetHours * HOUR_MS) / DAY_MS)
}

/** Weekday of a day counted from the epoch, 0 = Sunday: 1 January 1970 was a Thursday. */
function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7
}

function mainOffset(habit: SteadyHabit): number {
  return habit.zones[0]?.[0] ?? 0
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

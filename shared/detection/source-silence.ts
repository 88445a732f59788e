import type { Alert } from '#shared/domain/alert.ts'
import { moment, number, span } from './alert-text.ts'
import {
  HOURS_PER_DAY,
  HOURS_PER_WEEK,
  hourOf,
  hourOfWeek,
  isoOfSeconds,
  minuteOf,
  secondsOfIso,
} from './clock.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { alertIdOf } from './incident-alerts.ts'
import { noticeOf, resolved } from './notice.ts'
import { surpriseOfNothing } from './statistics/negative-binomial.ts'

/** What is known of one source's traffic, all event types together. */
export type SourceTraffic = {
  readonly source: string
  readonly lastSeen: number
  /** Hours of the last five weeks with events, any order: their events, and the longest pause that ended in each. */
  readonly hours: readonly { readonly hour: number; readonly events: number; readonly gapMinutes: number }[]
}

/**
 * Spread of an hour's events around what is usual. Hours are taken as independent of each other, so an hour that
 * is empty although hundreds of events were due is already past belief, and a slow hour is not.
 */
const HOURLY_DISPERSION = 0.2
/** Days with traffic before silence means anything. */
const ACTIVE_DAYS_MIN = 8
/** Weeks in which an hour of the week must have been seen before events are due in it. */
const WEEKS_MIN = 3
/**
 * Silence must also be longer than the source's own pauses, counted in events that were due: mail that is sent once an
 * hour pauses for an hour's worth. The third longest is taken, so that an outage or two do not set the measure.
 */
const OWN_PAUSES = 2.5
const PAUSE_RANK = 2

/**
 * Watches whole sources for silence. It needs a source's traffic over all partitions of the log, so it is fed from
 * the warehouse, and only by the one detector that is its owner.
 */
export type SilenceWatch = {
  /** Alerts that were open before a restart. */
  readonly load: (alerts: readonly Alert[]) => void
  /** Judges every source at this time (seconds) and answers what changed. */
  readonly judge: (sources: readonly SourceTraffic[], nowSeconds: number) => Alert[]
}

export function createSilenceWatch(settings: DetectionSettings): SilenceWatch {
  const open = new Map<string, Alert>()
  const habits = new Map<string, SourceHabit>()
  return {
    load: (alerts) => {
      for (const alert of alerts) {
        if (alert.signal === 'source.silent' && alert.status === 'open') open.set(alert.source, alert)
      }
    },
    judge: (sources, nowSeconds) => {
      const changes: Alert[] = []
      for (const traffic of sources) {
        const known = open.get(traffic.source)
        const change =
          known === undefined
            ? silenceOf(traffic, { nowSeconds, settings, habit: habitFor(habits, traffic) })
            : (endOfSilence(known, traffic, nowSeconds) ??
              longSilence(known, traffic, { nowSeconds, habit: habitFor(habits, traffic) }))
        if (change === undefined) continue
        changes.push(change)
        if (change.status === 'open') open.set(traffic.source, change)
        else open.delete(traffic.source)
      }
      return changes
    },
  }
}

type Silence = {
  readonly surprise: number
  /** Events that were due, and those of the three hours in which most were. */
  readonly expected: number
  readonly largestHours: number
}

/**
 * How surprising it is that nothing came since the last event, and how many events were due at least. Nights and
 * weekends, which have been empty once, promise nothing.
 */
function surpriseOfSilence(
  atLeast: Float64Array,
  { lastSeen, nowSeconds }: { readonly lastSeen: number; readonly nowSeconds: number },
): Silence {
  let surprise = 0
  let expected = 0
  const hours: number[] = []
  for (let hour = hourOf(lastSeen); hour <= hourOf(nowSeconds); hour += 1) {
    const from = Math.max(lastSeen, hour * 3600)
    const to = Math.min(nowSeconds, (hour + 1) * 3600)
    const mean = ((atLeast[hourOfWeek(hour)] ?? 0) * Math.max(0, to - from)) / 3600
    if (mean === 0) continue
    expected += mean
    hours.push(mean)
    surprise += surpriseOfNothing({ mean, dispersion: HOURLY_DISPERSION })
  }
  const largestHours = hours
    .sort((a, b) => b - a)
    .slice(0, BURST_HOURS)
    .reduce((sum, mean) => sum + mean, 0)
  return { surprise, expected, largestHours }
}

/** What a source usually does, from its history up to its last event. */
type SourceHabit = {
  readonly hour: number
  /** For each hour of the week the least that any week of the history had in it; 0 before three weeks were seen. */
  readonly atLeast: Float64Array
  readonly isKnown: boolean
  /** Events that were due in the third longest of its pauses. */
  readonly pause: number
}

/** Worked out once for each hour of the last event: to ask again costs a look-up. */
function habitFor(habits: Map<string, SourceHabit>, traffic: SourceTraffic): SourceHabit {
  const hour = hourOf(traffic.lastSeen)
  const known = habits.get(traffic.source)
  if (known?.hour === hour) return known
  const made = habitOf(traffic, hour)
  habits.set(traffic.source, made)
  return made
}

function habitOf(traffic: SourceTraffic, hour: number): SourceHabit {
  const events = new Map<number, number>()
  const days = new Set<number>()
  let first = hour
  for (const past of traffic.hours) {
    if (past.hour >= hour) continue
    events.set(past.hour, past.events)
    days.add(Math.floor(past.hour / HOURS_PER_DAY))
    first = Math.min(first, past.hour)
  }
  const atLeast = new Float64Array(HOURS_PER_WEEK)
  for (let cell = 0; cell < HOURS_PER_WEEK; cell += 1) {
    // The latest past hour of this hour of the week, and those of the weeks before.
    let past = hour - 1 - ((hourOfWeek(hour - 1) - cell + HOURS_PER_WEEK) % HOURS_PER_WEEK)
    let least = Infinity
    let weeks = 0
    for (; past > first; past -= HOURS_PER_WEEK) {
      least = Math.min(least, events.get(past) ?? 0)
      weeks += 1
    }
    atLeast[cell] = weeks >= WEEKS_MIN ? least : 0
  }
  return { hour, atLeast, isKnown: days.size >= ACTIVE_DAYS_MIN, pause: pauseOf(traffic, atLeast) }
}

function pauseOf({ hours }: SourceTraffic, atLeast: Float64Array): number {
  const due = hours.map(({ hour, gapMinutes }) => {
    let events = 0
    let left = gapMinutes
    for (let at = hour; left > 0; at -= 1) {
      const minutes = Math.min(left, 60)
      events += ((atLeast[hourOfWeek(at)] ?? 0) * minutes) / 60
      left -= minutes
    }
    return events
  })
  return due.toSorted((a, b) => b - a)[PAUSE_RANK] ?? 0
}

function silenceOf(
  traffic: SourceTraffic,
  given: { readonly nowSeconds: number; readonly settings: DetectionSettings; readonly habit: SourceHabit },
): Alert | undefined {
  const { nowSeconds, settings } = given
  const { atLeast, isKnown, pause } = given.habit
  if (!isKnown) return undefined
  const minute = minuteOf(traffic.lastSeen)
  const silence = surpriseOfSilence(atLeast, { lastSeen: traffic.lastSeen, nowSeconds })
  const { surprise, expected } = silence
  const enough = Math.max(settings.silenceExpectedMin, OWN_PAUSES * pause)
  if (surprise < settings.silenceSurprise || expected < enough) return undefined
  const silentMinutes = Math.max(1, Math.floor((nowSeconds - traffic.lastSeen) / 60))
  const startMinute = minute + 1
  const notice = noticeOf({
    source: traffic.source,
    signal: 'source.silent',
    severity: isLong(silentMinutes, silence) ? 'critical' : 'info',
    startMinute,
    nowMs: nowSeconds * 1000,
    observed: 0,
    expected: Math.round(expected),
    evidence: { last_event_at: isoOfSeconds(traffic.lastSeen), silent_minutes: silentMinutes },
    summary: silenceSummary(traffic, { silentMinutes, expected }),
  })
  return {
    ...notice,
    alert_id: alertIdOf('source.silent', notice, startMinute),
    score: Math.round(surprise * 1000) / 1000,
    p_value: 10 ** -surprise,
    window_seconds: Math.max(0, nowSeconds - traffic.lastSeen),
  }
}

/**
 * An outage of some hours, on the way or at SendGrid, ends by itself and its events come late; people are woken when it
 * is longer, sooner the more is missing.
 */
const LONG: readonly { readonly minutes: number; readonly expected: number }[] = [
  { minutes: 60, expected: 5000 },
  { minutes: 360, expected: 100 },
  { minutes: 720, expected: 60 },
]

/** Hours that one send and what follows it make busy. */
const BURST_HOURS = 3
/** So many events must have been due in each hour: a trickle of late opens promises nothing. */
const PER_HOUR_MIN = 2

/** A newsletter that does not come at its hour is not silence: the hours in which most was due do not count. */
function isLong(silentMinutes: number, { expected, largestHours }: Silence): boolean {
  const due = expected - largestHours
  if (due < (PER_HOUR_MIN * silentMinutes) / 60) return false
  return LONG.some((long) => silentMinutes >= long.minutes && due >= long.expected)
}

/** A silence that was told goes on: told again, louder, once it is long. */
function longSilence(
  alert: Alert,
  traffic: SourceTraffic,
  given: { readonly nowSeconds: number; readonly habit: SourceHabit },
): Alert | undefined {
  if (alert.severity === 'critical') return undefined
  const { nowSeconds, habit } = given
  const silentMinutes = Math.floor((nowSeconds - traffic.lastSeen) / 60)
  const silence = surpriseOfSilence(habit.atLeast, { lastSeen: traffic.lastSeen, nowSeconds })
  if (!isLong(silentMinutes, silence)) return undefined
  const { surprise, expected } = silence
  return {
    ...alert,
    revision: alert.revision + 1,
    severity: 'critical',
    changed_at: new Date(nowSeconds * 1000).toISOString(),
    expected: Math.round(expected),
    expected_high: Math.round(expected),
    score: Math.round(surprise * 1000) / 1000,
    p_value: 10 ** -surprise,
    window_seconds: Math.max(0, nowSeconds - traffic.lastSeen),
    summary: silenceSummary(traffic, { silentMinutes, expected }),
  }
}

function silenceSummary(
  traffic: SourceTraffic,
  { silentMinutes, expected }: { silentMinutes: number; expected: number },
): string {
  return (
    `${traffic.source} is silent since ${moment(minuteOf(traffic.lastSeen))}: no event in ${span(silentMinutes)} ` +
    `where at least ${number(Math.round(expected))} were to be expected. Either its webhook does not reach us, or ` +
    'nothing is sent.'
  )
}

function endOfSilence(alert: Alert, traffic: SourceTraffic, nowSeconds: number): Alert | undefined {
  if (traffic.lastSeen < secondsOfIso(alert.started_at)) return undefined
  return resolved(alert, {
    endedAt: isoOfSeconds(traffic.lastSeen),
    nowMs: nowSeconds * 1000,
    summary: `Over: ${traffic.source} sends again; it was silent since ${moment(minuteOf(secondsOfIso(alert.started_at)))}.`,
  })
}

import type { Alert } from '#shared/domain/alert.ts'
import { moment, number, span } from './alert-text.ts'
import {
  HOURS_PER_DAY,
  hourOf,
  hourOfWeek,
  isoOfSeconds,
  minuteOf,
  secondsOfIso,
} from './clock.ts'
import type { DetectionSettings } from './detection-settings.ts'
import { alertIdOf } from './incident-alerts.ts'
import { noticeOf, resolved } from './notice.ts'
import { addToHour, createKeyHistory, messagesInHour, moveTo, type KeyHistory } from './volume/key-history.ts'
import { surpriseOfNothing } from './statistics/negative-binomial.ts'
import { seasonOf, trainingHours, type Season } from './volume/season.ts'

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
const ACTIVE_DAYS_MIN = 2
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
            : endOfSilence(known, traffic, nowSeconds)
        if (change === undefined) continue
        changes.push(change)
        if (change.status === 'open') open.set(traffic.source, change)
        else open.delete(traffic.source)
      }
      return changes
    },
  }
}

/**
 * How surprising it is that nothing came since the last event, and how many events were due. Only hours of the week
 * that have never been empty count: nights and weekends have gaps of their own, and their few events promise nothing.
 */
function surpriseOfSilence(
  season: Season,
  given: { readonly lastSeen: number; readonly nowSeconds: number; readonly reliable: ReadonlySet<number> },
): { surprise: number; expected: number } {
  let surprise = 0
  let expected = 0
  for (let hour = hourOf(given.lastSeen); hour <= hourOf(given.nowSeconds); hour += 1) {
    if (!given.reliable.has(hourOfWeek(hour))) continue
    const from = Math.max(given.lastSeen, hour * 3600)
    const to = Math.min(given.nowSeconds, (hour + 1) * 3600)
    const mean = ((season.hourlyMeans[hourOfWeek(hour)] ?? 0) * Math.max(0, to - from)) / 3600
    expected += mean
    surprise += surpriseOfNothing({ mean, dispersion: HOURLY_DISPERSION })
  }
  return { surprise, expected }
}

/** What a source usually does, from its history up to its last event. */
type SourceHabit = {
  readonly hour: number
  /** Undefined while the source has too little history. */
  readonly season: Season | undefined
  readonly reliable: ReadonlySet<number>
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
  const history = createKeyHistory()
  // Silent hours must not teach that silence is usual: the profile is the one of the last event's time.
  moveTo(history, minuteOf(traffic.lastSeen))
  for (const past of traffic.hours) if (past.hour <= hour) addToHour(history, past.hour, past.events)
  const season = seasonOf(history, hour)
  const isKnown = season.activeDays >= ACTIVE_DAYS_MIN && season.trainedHours >= HOURS_PER_DAY
  return {
    hour,
    season: isKnown ? season : undefined,
    reliable: reliableHours(history, hour),
    pause: pauseOf(traffic, season),
  }
}

function pauseOf({ hours }: SourceTraffic, season: Season): number {
  const due = hours.map(({ hour, gapMinutes }) => {
    let events = 0
    let left = gapMinutes
    for (let at = hour; left > 0; at -= 1) {
      const minutes = Math.min(left, 60)
      events += ((season.hourlyMeans[hourOfWeek(at)] ?? 0) * minutes) / 60
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
  const { season, reliable, pause } = given.habit
  if (season === undefined) return undefined
  const minute = minuteOf(traffic.lastSeen)
  const { surprise, expected } = surpriseOfSilence(season, {
    lastSeen: traffic.lastSeen,
    nowSeconds,
    reliable,
  })
  const enough = Math.max(settings.silenceExpectedMin, OWN_PAUSES * pause)
  if (surprise < settings.silenceSurprise || expected < enough) return undefined
  const silentMinutes = Math.max(1, Math.floor((nowSeconds - traffic.lastSeen) / 60))
  const startMinute = minute + 1
  const notice = noticeOf({
    source: traffic.source,
    signal: 'source.silent',
    severity: 'critical',
    startMinute,
    nowMs: nowSeconds * 1000,
    observed: 0,
    expected: Math.round(expected),
    evidence: { last_event_at: isoOfSeconds(traffic.lastSeen), silent_minutes: silentMinutes },
    summary:
      `${traffic.source} is silent since ${moment(minute)}: no event in ${span(silentMinutes)} ` +
      `where about ${number(expected)} are usual. Either its webhook does not reach us, or nothing is sent.`,
  })
  return {
    ...notice,
    alert_id: alertIdOf('source.silent', notice, startMinute),
    score: Math.round(surprise * 1000) / 1000,
    p_value: 10 ** -surprise,
    window_seconds: Math.max(0, nowSeconds - traffic.lastSeen),
  }
}

/** Hours of the week that had events in every week they were watched. */
function reliableHours(history: KeyHistory, hour: number): Set<number> {
  const reliable = new Set<number>()
  const empty = new Set<number>()
  for (const past of trainingHours(history, hour)) {
    const cell = hourOfWeek(past)
    if (messagesInHour(history, past) === 0) empty.add(cell)
    else reliable.add(cell)
  }
  for (const cell of empty) reliable.delete(cell)
  return reliable
}

function endOfSilence(alert: Alert, traffic: SourceTraffic, nowSeconds: number): Alert | undefined {
  if (traffic.lastSeen < secondsOfIso(alert.started_at)) return undefined
  return resolved(alert, {
    endedAt: isoOfSeconds(traffic.lastSeen),
    nowMs: nowSeconds * 1000,
    summary: `Over: ${traffic.source} sends again; it was silent since ${moment(minuteOf(secondsOfIso(alert.started_at)))}.`,
  })
}

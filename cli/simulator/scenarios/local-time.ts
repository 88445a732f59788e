import type { KeyProfile } from '../key-profile.ts'
import { HOUR_MS } from '../habit.ts'
import { offsetHours, type Zone } from '../zone.ts'

export const MINUTE_MS = 60_000
export const DAY_MS = 24 * HOUR_MS

/** The zone by which most of a key's traffic goes. */
export function homeZone({ habit }: KeyProfile<string>): Zone {
  if (habit.kind === 'batch') return habit.zone
  return habit.kind === 'steady' ? (habit.zones[0]?.[0] ?? 0) : 0
}

/** The first instant not before `atMs` at which the clocks of the zone show this time of day, on a day that will do. */
export function nextLocalTime(
  atMs: number,
  zone: Zone,
  when: { readonly minuteOfDay: number; readonly weekdays?: readonly number[] },
): number {
  const today = Math.floor((atMs + offsetHours(zone, atMs) * HOUR_MS) / DAY_MS)
  for (let day = today; day < today + 15; day++) {
    const localMs = day * DAY_MS + when.minuteOfDay * MINUTE_MS
    const instantMs = localMs - offsetHours(zone, localMs) * HOUR_MS
    if (instantMs < atMs) continue
    if (when.weekdays === undefined || when.weekdays.includes(weekdayOf(day))) return instantMs
  }
  return atMs
}

/** Weekday of a day counted from the epoch, 0 = Sunday: 1 January 1970 was a Thursday. */
export function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7
}

export const WORKING_DAYS = [1, 2, 3, 4, 5]

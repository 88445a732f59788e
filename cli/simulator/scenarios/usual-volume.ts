import { expectedPerHour, HOUR_MS } from '../habit.ts'
import type { KeyProfile } from '../key-profile.ts'

const WEEK_HOURS = 168
const MONTH_DAYS = 30.4

/** Messages that a key sends on an average day about an instant. */
export function messagesPerDay(profile: KeyProfile<string>, atMs: number): number {
  const { habit, volume } = profile
  const factor = volume === undefined ? 1 : averageOf(volume, atMs)
  switch (habit.kind) {
    case 'steady':
      return (factor * habit.messagesPerWeek) / 7
    case 'batch': {
      const daysPerDay =
        habit.monthDays === undefined ? habit.weekdays.length / 7 : habit.monthDays.length / MONTH_DAYS
      return factor * habit.sizeMedian * habit.startMinutes.length * daysPerDay
    }
    case 'burst':
    case 'run':
      return 0
    default:
      return habit satisfies never
  }
}

/** Messages in the busiest hour of an ordinary week. */
export function messagesInBusyHour(profile: KeyProfile<string>, atMs: number): number {
  const { habit, volume } = profile
  const factor = volume === undefined ? 1 : averageOf(volume, atMs)
  if (habit.kind === 'batch') {
    return factor * Math.min(habit.sizeMedian, habit.messagesPerSecond * 3600)
  }
  if (habit.kind !== 'steady') return 0
  const hours = Array.from({ length: WEEK_HOURS }, (_, hour) => expectedPerHour(habit, atMs + hour * HOUR_MS))
  return factor * Math.max(...hours)
}

/** Over the week before. */
function averageOf(volume: (atMs: number) => number, atMs: number): number {
  let total = 0
  for (let hour = 0; hour < WEEK_HOURS; hour += 6) total += volume(atMs - hour * HOUR_MS)
  return total / (WEEK_HOURS / 6)
}

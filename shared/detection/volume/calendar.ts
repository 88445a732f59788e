import { HOURS_PER_DAY } from '../clock.ts'
import { CALENDAR_AT, CALENDAR_CLASSES, type VolumeState } from './volume-state.ts'

/** Log ratios are kept in steps of 1/32; smaller ones than this say nothing. */
const UNIT = 32
const LOG_RATIO_MIN = Math.log(1.5)

/** Classes of a day: day of the month 0–30, first working day 31, last working day 32, week parity × weekday 33–46. */
const FIRST_WORKING_DAY = 31
const LAST_WORKING_DAY = 32
const PARITY = 33

type Day = { readonly dayOfMonth: number; readonly weekday: number; readonly daysInMonth: number }

function dayOf(day: number): Day {
  const date = new Date(day * 86_400_000)
  return {
    dayOfMonth: date.getUTCDate(),
    weekday: (date.getUTCDay() + 6) % 7,
    daysInMonth: new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  }
}

/** Working days of the month before this day, and after it. */
function workingDaysAround({ dayOfMonth, weekday, daysInMonth }: Day): { before: number; after: number } {
  const around = { before: 0, after: 0 }
  for (let other = 1; other <= daysInMonth; other += 1) {
    if ((((weekday + other - dayOfMonth) % 7) + 7) % 7 >= 5) continue
    if (other < dayOfMonth) around.before += 1
    if (other > dayOfMonth) around.after += 1
  }
  return around
}

/** Within the first two or last two working days of a month, or on a weekend beside them: when invoices leave. */
export function isMonthEdge(hour: number): boolean {
  const { before, after } = workingDaysAround(dayOf(Math.floor(hour / HOURS_PER_DAY)))
  return before <= 1 || after <= 1
}

/** The classes that a day belongs to. */
function classesOf(day: number): number[] {
  const parts = dayOf(day)
  const { before, after } = workingDaysAround(parts)
  const week = Math.floor((day + 3) / 7)
  const classes = [parts.dayOfMonth - 1, PARITY + (week % 2) * 7 + parts.weekday]
  if (parts.weekday < 5 && before === 0) classes.push(FIRST_WORKING_DAY)
  if (parts.weekday < 5 && after === 0) classes.push(LAST_WORKING_DAY)
  return classes
}

/**
 * How many times the usual a day of this kind brings: 1 unless a class of the day has shown itself twice with the
 * same sign, and then the lesser of the two times.
 */
export function calendarFactor({ bytes }: VolumeState, hour: number): number {
  if (!bytes.subarray(CALENDAR_AT, CALENDAR_AT + 2 * CALENDAR_CLASSES).some((byte) => byte !== 0)) return 1
  let strongest = 0
  for (const kind of classesOf(Math.floor(hour / HOURS_PER_DAY))) {
    const one = signed(bytes[CALENDAR_AT + 2 * kind] ?? 0)
    const two = signed(bytes[CALENDAR_AT + 2 * kind + 1] ?? 0)
    if (one * two <= 0) continue
    const lesser = Math.abs(one) < Math.abs(two) ? one : two
    if (Math.abs(lesser) >= LOG_RATIO_MIN * UNIT && Math.abs(lesser) > Math.abs(strongest)) strongest = lesser
  }
  return Math.exp(strongest / UNIT)
}

/** Remembers how a whole day compared with what was expected of it. */
export function learnDay({ bytes }: VolumeState, day: number, logRatio: number): void {
  const value = Math.max(-127, Math.min(127, Math.round(logRatio * UNIT))) & 0xff
  for (const kind of classesOf(day)) {
    bytes[CALENDAR_AT + 2 * kind + 1] = bytes[CALENDAR_AT + 2 * kind] ?? 0
    bytes[CALENDAR_AT + 2 * kind] = value
  }
}

function signed(byte: number): number {
  return byte > 127 ? byte - 256 : byte
}

import type { DayProfile, SteadyHabit } from './habit.ts'
import type { Rates } from './key-profile.ts'

/** Hours 0 to 23. Office: a morning peak, a dip at lunch, nothing at night. */
export const officeDay: DayProfile = [
  0, 0, 0, 0, 0, 0, 1, 4, 12, 18, 20, 17, 9, 13, 18, 17, 14, 8, 3, 1, 0, 0, 0, 0,
]
/** Customers of a shop: from breakfast to bedtime. */
export const consumerDay: DayProfile = [
  2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 15, 15, 16, 15, 14, 14, 15, 17, 19, 20, 18, 13, 8, 4,
]
/** Forgotten passwords: at any hour, more when people are awake. */
export const aroundTheClock: DayProfile = [
  6, 5, 4, 4, 4, 5, 7, 9, 11, 12, 12, 11, 11, 11, 11, 11, 11, 11, 12, 12, 12, 11, 9, 7,
]
export const rest: DayProfile = Array.from({ length: 24 }, () => 0)
export const scaled = (profile: DayProfile, factor: number): DayProfile =>
  profile.map((weight) => weight * factor)

export const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]
export const BERLIN = 1
export const NEW_YORK = -5

export const transactional: Rates = {
  drop: 0.004,
  bounce: 0.007,
  defer: 0.015,
  open: 0.5,
  openMedianMinutes: 9,
  machineOpen: 0.14,
  click: 0.25,
  spamReport: 0.0002,
  spamReportMedianMinutes: 400,
  unsubscribe: 0,
}
export const newsletter: Rates = {
  ...transactional,
  drop: 0.012,
  bounce: 0.006,
  open: 0.24,
  openMedianMinutes: 170,
  click: 0.12,
  spamReport: 0.0006,
  unsubscribe: 0.012,
}

/** SendGrid's Message-ID hosts for mail that came in by the API. */
export const apiHosts = ['geopod-ismtpd-0', 'geopod-ismtpd-4', 'geopod-ismtpd-13', 'geopod-ismtpd-27']

/** A dynamic template's id, made from its name: `d-` and 32 hexadecimal digits. */
export function templateId(name: string): string {
  return `d-${Buffer.from(name.padEnd(16, '.').slice(0, 16)).toString('hex')}`
}

export const steady = (habit: Omit<SteadyHabit, 'kind' | 'dayShape' | 'hourShape'>): SteadyHabit => ({
  kind: 'steady',
  // Factors of ±16 % a day and ±22 % an hour around the profile.
  dayShape: 40,
  hourShape: 20,
  ...habit,
})

/** Minutes and hours since the epoch (UTC) are the engine's units of time; a day has 24 hours in UTC. */
export const MINUTES_PER_HOUR = 60
export const HOURS_PER_DAY = 24
export const MINUTES_PER_DAY = 1440
export const HOURS_PER_WEEK = 168
const SECONDS_PER_MINUTE = 60
const SECONDS_PER_HOUR = 3600
const SECONDS_PER_DAY = 86_400

export function minuteOf(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_MINUTE)
}

export function hourOf(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_HOUR)
}

/** Days since the epoch, UTC. */
export function dayOf(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_DAY)
}

export function hourOfMinute(minute: number): number {
  return Math.floor(minute / MINUTES_PER_HOUR)
}

/** 1970-01-01 was a Thursday: 72 hours after a Monday's start. 0 = Monday 00:00 UTC. */
const EPOCH_HOUR_OF_WEEK = 72

export function hourOfWeek(hour: number): number {
  return (hour + EPOCH_HOUR_OF_WEEK) % HOURS_PER_WEEK
}

export function isoOfSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

export function isoOfMinute(minute: number): string {
  return isoOfSeconds(minute * SECONDS_PER_MINUTE)
}

export function secondsOfIso(time: string): number {
  return Math.floor(Date.parse(time) / 1000)
}

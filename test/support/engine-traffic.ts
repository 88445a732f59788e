import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { seededRandom } from './test-traffic.ts'

type Random = () => number

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Exact by inversion for small means, by the normal approximation above 60. */
function poisson(random: Random, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count += 1
  return count
}

/** Messages of one key in one minute; `random` is the key's own. */
export type Habit = (minute: number, random: Random) => number

/** 2026-01-05 00:00 UTC, a Monday, in minutes since the epoch. */
export const MONDAY = Date.UTC(2026, 0, 5) / 60_000
const DAY = 1440
const dayOf = (minute: number) => Math.floor((minute - MONDAY) / DAY)

/** A number that is the same for one key's whole day (or hour), whatever is drawn in between. */
function steady(seed: number, block: number): Random {
  return seededRandom(seed * 7919 + block * 104_729)
}

/** What keys are like, each bursty in its own way. */
export const habitsOf = (seed: number) =>
  ({
    transactional: (minute, random) => {
      const day = dayOf(minute)
      const hour = ((minute - MONDAY) % DAY) / 60
      const hourly = steady(10 * seed + 1, Math.floor(minute / 60))
      const byDay = Math.max(0, Math.sin(((hour - 6) / 16) * Math.PI)) + 0.05
      const weekend = day % 7 >= 5 ? 0.4 : 1
      return poisson(random, 2 * byDay * weekend * Math.exp(0.25 * normal(hourly)))
    },
    nightlyBatch: (minute, random) => {
      const daily = steady(10 * seed + 2, dayOf(minute))
      const start = 120 + Math.floor(40 * daily())
      const size = 1500 * Math.exp(0.15 * normal(daily))
      const at = (minute - MONDAY) % DAY
      return at >= start && at < start + 10 ? poisson(random, size / 10) : 0
    },
    newsletter: (minute, random) => {
      const weekly = steady(10 * seed + 3, Math.floor(dayOf(minute) / 7))
      const start = 3 * DAY + 600 + Math.floor(15 * weekly())
      const size = 4000 * Math.exp(0.2 * normal(weekly))
      const at = (minute - MONDAY) % (7 * DAY)
      return at >= start && at < start + 15 ? poisson(random, size / 15) : 0
    },
    passwordResets: (_minute, random) => poisson(random, 0.1),
    internal: (minute, random) => {
      const at = (minute - MONDAY) % DAY
      return at >= 540 && at < 1020 && dayOf(minute) % 7 < 5 && random() < 0.002
        ? 1 + Math.floor(3 * random())
        : 0
    },
    hourlyBatch: (minute, random) => {
      const hourly = steady(10 * seed + 4, Math.floor(minute / 60))
      return minute % 60 === 5 ? poisson(random, 40 * Math.exp(0.4 * normal(hourly))) : 0
    },
  }) satisfies Record<string, Habit>

/** One event of one message, as the driver gives it to the engine. */
export function aMessage(at: { key: string; seconds: number; source?: string; event?: string }): EngineEvent {
  return {
    source: at.source ?? 'main',
    key: at.key,
    event: at.event ?? 'processed',
    timestamp: at.seconds,
    receivedAtMs: at.seconds * 1000 + 1500,
    attribution: at.key === 'unattributed' ? 'unattributed' : 'custom_arg',
  }
}

/** The messages of every key, in order of time; within a minute they are spread evenly. */
export function* traffic(options: {
  readonly keys: Readonly<Record<string, Habit>>
  readonly fromMinute: number
  readonly toMinute: number
  readonly seed: number
}): Generator<EngineEvent> {
  const keys = Object.entries(options.keys).map(([key, habit], index) => ({
    key,
    habit,
    random: seededRandom(options.seed * 1000 + index),
  }))
  for (let minute = options.fromMinute; minute < options.toMinute; minute += 1) {
    const events: EngineEvent[] = []
    for (const { key, habit, random } of keys) {
      const count = habit(minute, random)
      for (let index = 0; index < count; index += 1) {
        events.push(aMessage({ key, seconds: minute * 60 + Math.floor((60 * index) / count) }))
      }
    }
    yield* events.sort((a, b) => a.timestamp - b.timestamp)
  }
}

import { HOUR_MS, type SteadyHabit } from '../habit.ts'
import type { KeyProfile, Span } from '../key-profile.ts'
import { pick } from '../random.ts'
import { familyOf, signalsOf } from './attacks-burst.ts'
import { between, betweenMagnitudes, clamp, wholeBetween } from './draw.ts'
import { DAY_MS, homeZone, MINUTE_MS, nextLocalTime } from './local-time.ts'
import { alterKey, targetOf, withVolume, type Plan, type Scenario } from './scenario.ts'
import { makeThief } from './thief.ts'
import { drawThiefAudience, listAudience, nearAudience } from './thief-audience.ts'
import { messagesPerDay } from './usual-volume.ts'

const WEEK_DAYS = 7

/** A loop with pauses at any hour: even but for chance. */
export function evenHabit(messagesPerDayMean: number): SteadyHabit {
  const flat = Array.from({ length: 24 }, () => 1)
  return {
    kind: 'steady',
    messagesPerWeek: messagesPerDayMean * WEEK_DAYS,
    workingDay: flat,
    weekend: flat,
    zones: [[0, 1]],
    dayShape: 200,
    hourShape: 50,
  }
}

/** The owner's own hours, so that the time of day gives nothing away. */
function habitLike({ habit }: KeyProfile<string>, perDay: number): SteadyHabit {
  return habit.kind === 'steady' ? { ...habit, messagesPerWeek: perDay * WEEK_DAYS } : evenHabit(perDay)
}

const isSteady = ({ habit }: KeyProfile<string>) => habit.kind === 'steady'
const sendsDaily = (profile: KeyProfile<string>, atMs: number, atLeast: number) =>
  messagesPerDay(profile, atMs) >= atLeast

const lowAndSlow: Scenario = {
  name: 'low-and-slow',
  kind: 'attack',
  messagesMin: 40,
  about: 'about 5 % of the key’s volume for days, at its own hours or at any',
  suits: (profile, atMs) => sendsDaily(profile, atMs, 150),
  plan: ({ id, victim, atMs, random }) => {
    const span = { fromMs: atMs, toMs: Math.floor(atMs + between(random, 2, 6) * DAY_MS) }
    const perDay = messagesPerDay(victim, atMs) * between(random, 0.03, 0.08)
    const copied = pick(random, ['arguments', 'everything', 'everything'] as const)
    const habit = random.next() < 0.6 ? habitLike(victim, perDay) : evenHabit(perDay)
    return {
      span,
      targets: [targetOf(victim)],
      family: 'audience',
      signals: ['volume.ramp', ...signalsOf(victim, copied)],
      senders: [makeThief(victim, { id, random, copied, habit, active: span })],
    }
  },
}

const rampHourly: Scenario = {
  name: 'ramp-hourly',
  kind: 'attack',
  messagesMin: 40,
  about: 'volume that doubles every hour',
  suits: (profile, atMs) => sendsDaily(profile, atMs, 5),
  plan: ({ id, victim, atMs, random }) => {
    const hours = wholeBetween(random, 5, 8)
    const span = { fromMs: atMs, toMs: atMs + hours * HOUR_MS }
    const first = clamp((messagesPerDay(victim, atMs) / 24) * between(random, 0.05, 0.15), 2, 20)
    const copied = pick(random, ['nothing', 'arguments', 'arguments', 'everything'] as const)
    const thief = makeThief(victim, {
      id,
      random,
      copied,
      habit: evenHabit(first * 24),
      active: span,
      volume: (nowMs) => 2 ** ((nowMs - span.fromMs) / HOUR_MS),
    })
    return {
      span,
      targets: [targetOf(victim)],
      family: copied === 'everything' ? 'volume' : familyOf(victim, copied),
      signals: ['volume.ramp', ...signalsOf(victim, copied)],
      senders: [thief],
    }
  },
}

const rampDaily: Scenario = {
  name: 'ramp-daily',
  kind: 'attack',
  messagesMin: 40,
  about: 'volume that grows by 15 % a day, to strangers, with all that the owner puts on a message',
  suits: (profile, atMs) => isSteady(profile) && sendsDaily(profile, atMs, 60),
  plan: ({ id, victim, atMs, random }) => {
    const span = { fromMs: atMs, toMs: Math.floor(atMs + between(random, 7, 11) * DAY_MS) }
    const growth = between(random, 1.13, 1.18)
    const near = random.next() < 0.5
    const audience = { audience: near ? nearAudience(victim, random) : listAudience(random), near }
    const thief = makeThief(victim, {
      id,
      random,
      copied: 'everything',
      audience,
      habit: habitLike(victim, messagesPerDay({ ...victim, volume: () => 1 }, atMs)),
      active: span,
      volume: (nowMs) => (victim.volume?.(nowMs) ?? 1) * (growth ** ((nowMs - span.fromMs) / DAY_MS) - 1),
    })
    return {
      span,
      targets: [targetOf(victim)],
      family: near ? 'volume' : 'audience',
      signals: ['volume.ramp', ...signalsOf(victim, 'everything')],
      senders: [thief],
    }
  },
}

/** Nothing from midnight to four in the morning. */
const sleepsAtNight = ({ habit }: KeyProfile<string>) =>
  habit.kind === 'steady' &&
  habit.zones.length === 1 &&
  habit.workingDay.slice(0, 4).every((weight) => weight === 0)

const offHoursTrickle: Scenario = {
  name: 'off-hours-trickle',
  kind: 'attack',
  messagesMin: 40,
  about: 'about 30 messages an hour in the nights of a key that sleeps then',
  suits: (profile, atMs) => sleepsAtNight(profile) && sendsDaily(profile, atMs, 10),
  plan: ({ id, victim, atMs, random }) => {
    const nights = wholeBetween(random, 1, 3)
    const fromMs = nextLocalTime(atMs, homeZone(victim), { minuteOfDay: wholeBetween(random, 15, 90) })
    const nightMs = Math.floor(between(random, 2.5, 4.5) * HOUR_MS)
    const span = { fromMs, toMs: fromMs + (nights - 1) * DAY_MS + nightMs }
    const copied = pick(random, ['nothing', 'arguments', 'everything'] as const)
    const thief = makeThief(victim, {
      id,
      random,
      copied,
      habit: evenHabit(between(random, 20, 40) * 24),
      active: span,
      volume: (nowMs) => ((nowMs - fromMs) % DAY_MS < nightMs ? 1 : 0),
    })
    return {
      span,
      targets: [targetOf(victim)],
      family: copied === 'everything' ? 'volume' : familyOf(victim, copied),
      signals: signalsOf(victim, copied),
      senders: [thief],
    }
  },
}

const mixShift: Scenario = {
  name: 'mix-shift',
  kind: 'attack',
  messagesMin: 40,
  about: 'the owner’s service stops and the thief sends as much, to other people',
  suits: (profile, atMs) => isSteady(profile) && sendsDaily(profile, atMs, 60),
  plan: ({ id, victim, atMs, random }) => {
    const span = { fromMs: atMs, toMs: Math.floor(atMs + between(random, 0.7, 2.5) * DAY_MS) }
    const thief = makeThief(victim, {
      id,
      random,
      copied: random.next() < 0.7 ? 'everything' : 'arguments',
      audience: { audience: listAudience(random), near: false },
      habit: victim.habit,
      active: span,
      ...(victim.volume === undefined ? {} : { volume: victim.volume }),
    })
    return {
      span,
      targets: [targetOf(victim)],
      family: 'audience',
      signals: signalsOf(victim, 'everything'),
      senders: [thief],
      alter: stopped(victim, span),
    }
  },
}

function stopped(victim: KeyProfile<string>, span: Span): NonNullable<Plan['alter']> {
  return alterKey(victim, (profile) => withVolume(profile, span, () => 0))
}

const formRelay: Scenario = {
  name: 'form-relay',
  kind: 'attack',
  messagesMin: 40,
  about: 'the service itself is made to write to strangers: same template, arguments and links',
  suits: (profile, atMs) => isSteady(profile) && sendsDaily(profile, atMs, 20),
  plan: ({ id, victim, atMs, random }) => {
    const { audience, near } = drawThiefAudience(victim, random)
    const perHour = clamp((messagesPerDay(victim, atMs) / 24) * betweenMagnitudes(random, 0.7, 8), 30, 1800)
    const durationMs = betweenMagnitudes(random, 40 * MINUTE_MS, 6 * HOUR_MS)
    const span = { fromMs: atMs, toMs: Math.floor(atMs + durationMs) }
    const thief = makeThief(victim, {
      id,
      random,
      copied: 'everything',
      audience: { audience, near },
      habit: evenHabit(perHour * 24),
      active: span,
    })
    return {
      span,
      targets: [targetOf(victim)],
      family: near ? 'volume' : 'audience',
      signals: signalsOf(victim, 'everything'),
      // It is the owner's software that sends.
      senders: [{ ...thief, content: victim.content }],
    }
  },
}

export const slowAttacks: readonly Scenario[] = [
  lowAndSlow,
  rampHourly,
  rampDaily,
  offHoursTrickle,
  mixShift,
  formRelay,
]

import { EVERY } from '#shared/domain/alert.ts'
import { HOUR_MS } from '../habit.ts'
import type { KeyProfile, Span } from '../key-profile.ts'
import { logNormal, pick, type Random } from '../random.ts'
import { clockChanges } from '../zone.ts'
import { between, wholeBetween } from './draw.ts'
import { DAY_MS, homeZone, MINUTE_MS, nextLocalTime, WORKING_DAYS } from './local-time.ts'
import { alterKey, targetOf, withVolume, type Plan, type Scenario } from './scenario.ts'
import { messagesPerDay } from './usual-volume.ts'

const isSteady = ({ habit }: KeyProfile<string>) => habit.kind === 'steady'
const sendsDaily = (profile: KeyProfile<string>, atMs: number, atLeast: number) =>
  messagesPerDay(profile, atMs) >= atLeast

/** The owner's own additional traffic: the same in every respect but when and how much. */
export function moreOf(
  victim: KeyProfile<string>,
  more: Pick<KeyProfile<string>, 'habit'> & Partial<KeyProfile<string>> & { readonly id: string },
): KeyProfile<string> {
  const { id, ...change } = more
  return { ...victim, scenario: id, audienceOf: victim.audienceOf ?? victim.name, ...change }
}

const benign = (victim: KeyProfile<string>, span: Span): Plan => ({
  span,
  targets: [targetOf(victim)],
  family: 'volume',
  signals: [],
})

/** The next run of a batch from an instant on, as it was planned. */
function nextRun(victim: KeyProfile<string>, atMs: number): number | undefined {
  const { habit } = victim
  if (habit.kind !== 'batch' || habit.monthDays !== undefined) return undefined
  const minuteOfDay = habit.startMinutes[0] ?? 0
  return nextLocalTime(atMs, habit.zone, { minuteOfDay, weekdays: habit.weekdays })
}

/** One run like the habit's own, at another time. */
function runLike(victim: KeyProfile<string>, fromMs: number, random: Random) {
  const { habit } = victim
  if (habit.kind !== 'batch') return undefined
  return {
    kind: 'run',
    fromMs: Math.floor(fromMs),
    messages: Math.max(
      1,
      Math.round(logNormal(random, habit.sizeMedian * (victim.volume?.(fromMs) ?? 1), habit.sizeSigma)),
    ),
    messagesPerSecond: habit.messagesPerSecond,
    recipientsPerSend: habit.recipientsPerSend,
  } as const
}

function runEnds(run: {
  readonly fromMs: number
  readonly messages: number
  readonly messagesPerSecond: number
}) {
  return Math.ceil(run.fromMs + (run.messages / run.messagesPerSecond) * 1000)
}

const campaignMoved: Scenario = {
  name: 'campaign-moved',
  kind: 'benign',
  about: 'a campaign goes out on another day or at another hour than usual, once',
  suits: ({ habit }) =>
    habit.kind === 'batch' &&
    habit.monthDays === undefined &&
    habit.startMinutes.length <= 2 &&
    habit.sizeMedian >= 50,
  plan: ({ id, victim, atMs, random }) => {
    const usualMs = nextRun(victim, atMs + DAY_MS)
    if (usualMs === undefined) return undefined
    const days = pick(random, [-1, 0, 0, 1, 2])
    const movedMs = usualMs + days * DAY_MS + pick(random, [-5, -3, -2, 2, 3, 4, 7]) * HOUR_MS
    const run = runLike(victim, movedMs, random)
    if (run === undefined) return undefined
    const dropped = { fromMs: usualMs - MINUTE_MS, toMs: usualMs + MINUTE_MS }
    return {
      ...benign(victim, { fromMs: movedMs, toMs: runEnds(run) }),
      occupies: { fromMs: Math.min(usualMs, movedMs), toMs: Math.max(usualMs + HOUR_MS, runEnds(run)) },
      senders: [moreOf(victim, { id, habit: run })],
      alter: alterKey(victim, (profile) => withVolume(profile, dropped, () => 0)),
    }
  },
}

const productLaunch: Scenario = {
  name: 'product-launch',
  kind: 'benign',
  about: 'about 60 % more for some days',
  suits: (profile, atMs) => isSteady(profile) && sendsDaily(profile, atMs, 30),
  plan: ({ id, victim, atMs, random }) => {
    const fromMs = nextLocalTime(atMs, homeZone(victim), { minuteOfDay: 8 * 60, weekdays: WORKING_DAYS })
    const span = { fromMs, toMs: Math.floor(fromMs + between(random, 1.5, 5) * DAY_MS) }
    const share = between(random, 0.5, 0.7)
    const volume = (nowMs: number) => share * (victim.volume?.(nowMs) ?? 1)
    return {
      ...benign(victim, span),
      senders: [moreOf(victim, { id, habit: victim.habit, active: span, volume })],
    }
  },
}

const monthEnd: Scenario = {
  name: 'month-end',
  kind: 'benign',
  about: 'invoices and statements at the end of the month, on top of every day’s',
  suits: (profile, atMs) => isSteady(profile) && sendsDaily(profile, atMs, 20),
  plan: ({ id, victim, atMs, endMs, random }) => {
    const date = new Date(atMs)
    const lastMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)
    const fromMs = nextLocalTime(lastMs - DAY_MS, homeZone(victim), {
      minuteOfDay: 9 * 60,
      weekdays: WORKING_DAYS,
    })
    const span = { fromMs, toMs: Math.floor(fromMs + between(random, 6, 34) * HOUR_MS) }
    if (span.toMs >= endMs) return undefined
    const share = between(random, 1, 2.5)
    const volume = (nowMs: number) => share * (victim.volume?.(nowMs) ?? 1)
    return {
      ...benign(victim, span),
      senders: [moreOf(victim, { id, habit: victim.habit, active: span, volume })],
    }
  },
}

const batchRunTwice: Scenario = {
  name: 'batch-run-twice',
  kind: 'benign',
  about: 'a batch is run a second time some time after the first',
  suits: ({ habit }) =>
    habit.kind === 'batch' && habit.monthDays === undefined && habit.startMinutes.length <= 2,
  plan: ({ id, victim, atMs, random }) => {
    const usualMs = nextRun(victim, atMs)
    const run =
      usualMs === undefined ? undefined : runLike(victim, usualMs + between(random, 0.6, 7) * HOUR_MS, random)
    if (run === undefined) return undefined
    return {
      ...benign(victim, { fromMs: run.fromMs, toMs: runEnds(run) }),
      senders: [moreOf(victim, { id, habit: run })],
    }
  },
}

const honestGrowth: Scenario = {
  name: 'honest-growth',
  kind: 'benign',
  about: 'volume grows by 5 to 8 % a week, to the end',
  suits: (profile, atMs) => isSteady(profile) && sendsDaily(profile, atMs, 20),
  plan: ({ victim, atMs, endMs, random }) => {
    const span = { fromMs: atMs, toMs: endMs }
    const growth = between(random, 1.05, 1.08)
    const factor = (nowMs: number) => growth ** ((nowMs - atMs) / (7 * DAY_MS))
    return {
      ...benign(victim, span),
      // It hinders nothing else from happening for long.
      occupies: { fromMs: atMs, toMs: atMs + 5 * DAY_MS },
      alter: alterKey(victim, (profile) => withVolume(profile, span, factor)),
    }
  },
}

const holidayQuiet: Scenario = {
  name: 'holiday-quiet',
  kind: 'benign',
  wide: true,
  about: 'a public holiday, or two weeks in which a department is away: 10 to 20 % of the volume',
  suits: (profile, atMs) => isSteady(profile) && sendsDaily(profile, atMs, 20),
  plan: ({ victim, atMs, startMs, endMs, random }) => {
    const everybody = random.next() < 0.5
    const zone = homeZone(victim)
    const fromMs = nextLocalTime(atMs, zone, { minuteOfDay: 0, weekdays: everybody ? WORKING_DAYS : [1] })
    const weeks = endMs - startMs > 42 * DAY_MS ? wholeBetween(random, 1, 2) : 1
    const span = { fromMs, toMs: fromMs + (everybody ? 1 : weeks * 7) * DAY_MS }
    if (span.toMs > endMs) return undefined
    const left = between(random, 0.1, 0.2)
    const quiet = (profile: KeyProfile<string>) => withVolume(profile, span, () => left)
    if (!everybody) return { ...benign(victim, span), alter: alterKey(victim, quiet) }
    return {
      ...benign(victim, span),
      targets: [{ source: EVERY, key: EVERY }],
      // Machines work on, and abroad it is a day like any other.
      alter: (profile) => (isSteady(profile) && homeZone(profile) === zone ? quiet(profile) : profile),
    }
  },
}

const daylightSaving: Scenario = {
  name: 'daylight-saving',
  kind: 'benign',
  wide: true,
  about: 'the clocks change in the home zones of some keys; found in the calendar, not made',
  suits: (profile) => clockChanges(homeZone(profile), 0, DAY_MS * 366).length > 0,
  plan: ({ victim, fleet, atMs, endMs }) => {
    const [changeMs] = clockChanges(homeZone(victim), atMs, endMs)
    if (changeMs === undefined) return undefined
    const moved = fleet.filter(
      (profile) => clockChanges(homeZone(profile), changeMs, changeMs + 1).length > 0,
    )
    return {
      span: { fromMs: changeMs, toMs: Math.min(endMs, changeMs + 7 * DAY_MS) },
      // It is there whatever else happens.
      occupies: { fromMs: changeMs, toMs: changeMs },
      targets: moved.map(targetOf),
      family: 'volume',
      signals: [],
    }
  },
}

export const volumeLookAlikes: readonly Scenario[] = [
  campaignMoved,
  productLaunch,
  monthEnd,
  batchRunTwice,
  honestGrowth,
  holidayQuiet,
  daylightSaving,
]

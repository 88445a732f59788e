import { EVERY } from '#shared/domain/alert.ts'
import { HOUR_MS } from '../habit.ts'
import type { KeyProfile } from '../key-profile.ts'
import { pick } from '../random.ts'
import { burst, signalsOf } from './attacks-burst.ts'
import { between, betweenMagnitudes, wholeBetween } from './draw.ts'
import { DAY_MS, nextLocalTime } from './local-time.ts'
import { alterKey, targetOf, withVolume, type Plan, type PlanRequest, type Scenario } from './scenario.ts'
import { makeThief } from './thief.ts'
import { messagesPerDay } from './usual-volume.ts'

/** A key needs some life of its own before it can be missed. */
const LIVED_DAYS_MIN = 6

/** The owner stopped using the key weeks ago; now somebody sends with it. */
function planLateUse(request: PlanRequest, signals: Plan['signals']): Plan | undefined {
  const { id, victim, atMs, startMs, endMs, random } = request
  const stoppedMs = atMs - between(random, 17, 27) * DAY_MS
  if (stoppedMs < startMs + LIVED_DAYS_MIN * DAY_MS) return undefined
  // It must be seen which key it is, so the naming is copied, whatever else is not.
  const copied = pick(random, ['arguments', 'arguments', 'everything'] as const)
  const messages = Math.round(betweenMagnitudes(random, 20, 600))
  const habit = burst(atMs, { messages, rate: betweenMagnitudes(random, 0.02, 3), random })
  return {
    span: { fromMs: atMs, toMs: atMs + habit.durationMs },
    occupies: { fromMs: stoppedMs, toMs: endMs },
    targets: [targetOf(victim)],
    family: 'key',
    signals: [...signals, ...signalsOf(victim, copied)],
    senders: [makeThief(victim, { id, random, copied, habit })],
    alter: alterKey(victim, (profile) => withVolume(profile, { fromMs: stoppedMs, toMs: endMs }, () => 0)),
  }
}

const hadALife = (profile: KeyProfile<string>, atMs: number) => messagesPerDay(profile, atMs) >= 4

const dormantKey: Scenario = {
  name: 'dormant-key',
  kind: 'attack',
  messagesMin: 15,
  about: 'a key that nobody has used for weeks sends again',
  suits: hadALife,
  plan: (request) => planLateUse(request, ['key.dormant_woke']),
}

const retiredKey: Scenario = {
  name: 'retired-key',
  kind: 'attack',
  messagesMin: 15,
  about: 'a key that its owners retired weeks ago sends again',
  suits: hadALife,
  plan: (request) => planLateUse(request, ['key.retired_used', 'key.dormant_woke']),
}

const silencedWebhook: Scenario = {
  name: 'silenced-webhook',
  kind: 'attack',
  wide: true,
  about: 'somebody switches the event webhook off: every event of a source ceases',
  suits: (profile, atMs) => messagesPerDay(profile, atMs) >= 150,
  plan: ({ id, victim, atMs, random }) => {
    // Thieves work at any hour, but silence at night says nothing for a while.
    const minuteOfDay = wholeBetween(random, 7 * 60, 17 * 60)
    const fromMs = nextLocalTime(atMs, 'Europe/Berlin', { minuteOfDay, weekdays: [1, 2, 3, 4, 5] })
    const span = { fromMs, toMs: Math.floor(fromMs + between(random, 8, 40) * HOUR_MS) }
    return {
      span,
      targets: [{ source: victim.source, key: EVERY }],
      family: 'source',
      signals: ['source.silent', 'volume.drop', 'fleet.shift'],
      deliveries: [{ kind: 'silenced', scenario: id, source: victim.source, ...span }],
    }
  },
}

export const keyAttacks: readonly Scenario[] = [dormantKey, retiredKey, silencedWebhook]

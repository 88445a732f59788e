import { HOUR_MS } from '../habit.ts'
import type { BurstHabit } from '../habit.ts'
import type { KeyProfile } from '../key-profile.ts'
import { logNormal, pick, type Random } from '../random.ts'
import { stolenKeyThief } from '../attack.ts'
import { between, betweenMagnitudes, clamp, wholeBetween } from './draw.ts'
import { homeZone, MINUTE_MS, nextLocalTime } from './local-time.ts'
import { isNamedInMessages, targetOf, type Plan, type PlanRequest, type Scenario } from './scenario.ts'
import { makeThief, type Copied } from './thief.ts'
import { drawThiefAudience } from './thief-audience.ts'
import { messagesInBusyHour } from './usual-volume.ts'

/** Messages per second: a slow loop, and what a script reaches over one connection. */
const SLOWEST = 0.05
const FASTEST = 20

/** At ten to eighty times the rate of the key's busiest hour, within what scripts do. */
export function drawBlast(victim: KeyProfile<string>, atMs: number, random: Random): BurstHabit {
  const usual = messagesInBusyHour(victim, atMs) / 3600
  const rate = clamp(Math.max(usual, 0.004) * betweenMagnitudes(random, 10, 80), SLOWEST, FASTEST)
  const messages = clamp(logNormal(random, 400, 0.9), 80, 4000)
  return burst(atMs, { messages, rate, random })
}

export function burst(
  fromMs: number,
  { messages, rate, random }: { readonly messages: number; readonly rate: number; readonly random: Random },
): BurstHabit {
  const uneven = between(random, 0.05, 0.4)
  return {
    kind: 'burst',
    fromMs,
    durationMs: Math.round((messages / rate) * 1000),
    messagesPerSecondMin: rate * (1 - uneven),
    messagesPerSecondMax: rate * (1 + uneven),
  }
}

const BLAST_SIGNALS: Plan['signals'] = [
  'volume.spike',
  'volume.off_hours',
  'novelty.sender',
  'novelty.category',
  'novelty.template',
  'mix.recipient_domain',
  'rate.bounce',
  'rate.drop',
  'rate.spam_report',
  'rate.defer',
  'novelty.url_domain',
]
/** What else names a theft whose messages do not say which key sent them. */
export const signalsOf = (victim: KeyProfile<string>, copied: Copied): Plan['signals'] =>
  isNamedInMessages(victim) && copied === 'nothing' ? ['key.unattributed', ...BLAST_SIGNALS] : BLAST_SIGNALS

export const familyOf = (victim: KeyProfile<string>, copied: Copied): Plan['family'] =>
  isNamedInMessages(victim) && copied === 'nothing' ? 'unattributed' : 'sender'

function planBlast(request: PlanRequest, copied: Copied, habit: BurstHabit): Plan {
  const { id, victim, random } = request
  return {
    span: { fromMs: habit.fromMs, toMs: habit.fromMs + habit.durationMs },
    targets: [targetOf(victim)],
    family: familyOf(victim, copied),
    signals: signalsOf(victim, copied),
    senders: [makeThief(victim, { id, random, copied, habit })],
  }
}

const isCampaign = ({ habit }: KeyProfile<string>) =>
  habit.kind === 'batch' && habit.startMinutes.length <= 2 && habit.sizeMedian >= 200
const isEverydayKey = (profile: KeyProfile<string>) => !isCampaign(profile)

/** The theft of a key for a given time. */
export function planTheft(theft: {
  readonly id: string
  readonly victim: KeyProfile<string>
  readonly fromMs: number
  readonly durationMs: number
}): Plan {
  const { victim, fromMs, durationMs } = theft
  return {
    span: { fromMs, toMs: fromMs + durationMs },
    targets: [targetOf(victim)],
    family: familyOf(victim, 'nothing'),
    signals: signalsOf(victim, 'nothing'),
    senders: [stolenKeyThief(victim, theft)],
  }
}

export const stolenKey: Scenario = {
  name: 'stolen-key',
  kind: 'attack',
  messagesMin: 60,
  about: 'a script sends 4 to 8 messages a second for five minutes, with nothing of the owner’s',
  suits: isEverydayKey,
  plan: ({ id, victim, atMs }) => planTheft({ id, victim, fromMs: atMs, durationMs: 5 * MINUTE_MS }),
}

const blast: Scenario = {
  name: 'blast',
  kind: 'attack',
  messagesMin: 60,
  about: 'a thief sends at ten times the usual rate or more, without the owner’s custom arguments',
  suits: isEverydayKey,
  plan: (request) => planBlast(request, 'nothing', drawBlast(request.victim, request.atMs, request.random)),
}

const blastCopiedArguments: Scenario = {
  name: 'blast-copied-arguments',
  kind: 'attack',
  messagesMin: 60,
  about: 'a blast with the owner’s custom arguments, some with the wrong kind of value',
  suits: isEverydayKey,
  plan: (request) => planBlast(request, 'arguments', drawBlast(request.victim, request.atMs, request.random)),
}

const blastNewsletter: Scenario = {
  name: 'blast-newsletter',
  kind: 'attack',
  messagesMin: 60,
  about: 'a blast with a newsletter’s key, of the usual size, at its usual hour',
  suits: isCampaign,
  plan: (request) => {
    const { victim, random } = request
    const { habit } = victim
    if (habit.kind !== 'batch') return undefined
    const fromMs =
      nextLocalTime(request.atMs, homeZone(victim), {
        minuteOfDay: habit.startMinutes[0] ?? 0,
        weekdays: habit.monthDays === undefined ? habit.weekdays : [1, 2, 3, 4, 5],
      }) +
      between(random, -40, 40) * MINUTE_MS
    const messages = clamp(habit.sizeMedian * between(random, 0.3, 1.1), 100, 4000)
    const rate = clamp(habit.messagesPerSecond * between(random, 0.5, 2), 0.2, FASTEST)
    const copied = pick(random, ['nothing', 'arguments'] as const)
    return planBlast(request, copied, burst(Math.floor(fromMs), { messages, rate, random }))
  },
}

const testThenBlast: Scenario = {
  name: 'test-then-blast',
  kind: 'attack',
  messagesMin: 60,
  about: 'one to three mails to the thief’s own mailbox, a blast some time later',
  suits: isEverydayKey,
  plan: (request) => {
    const { id, victim, atMs, random } = request
    const copied = pick(random, ['nothing', 'arguments'] as const)
    const messages = wholeBetween(random, 1, 3)
    const test = makeThief(victim, {
      id,
      random,
      copied,
      audience: {
        audience: {
          size: 2,
          domains: [
            [
              { kind: 'domain', name: pick(random, ['proton.me', 'gmail.com', 'mail.ru', 'tutanota.com']) },
              1,
            ],
          ],
        },
        near: true,
      },
      habit: {
        kind: 'run',
        fromMs: atMs,
        messages,
        messagesPerSecond: between(random, 0.005, 0.05),
        recipientsPerSend: 1,
      },
    })
    const laterMs = Math.floor(atMs + betweenMagnitudes(random, 15 * MINUTE_MS, 5 * HOUR_MS))
    const plan = planBlast(request, copied, drawBlast(victim, laterMs, random))
    const [thief] = plan.senders ?? []
    if (thief === undefined) return plan
    // The same script both times.
    const probe = {
      ...test,
      part: 'test',
      content: thief.content,
      rates: { ...test.rates, drop: 0, bounce: 0, spamReport: 0 },
    }
    return { ...plan, span: { fromMs: atMs, toMs: plan.span.toMs }, senders: [probe, thief] }
  },
}

const keyExplosion: Scenario = {
  name: 'key-explosion',
  kind: 'attack',
  messagesMin: 60,
  about: 'a new key name in every message, so that no name has a baseline',
  suits: ({ content }) => 'api_key_id' in content.customArguments,
  plan: (request) => {
    const { id, victim, atMs, random } = request
    const rate = betweenMagnitudes(random, 0.1, 4)
    const habit = burst(atMs, { messages: wholeBetween(random, 150, 1500), rate, random })
    const thief = makeThief(victim, { id, random, copied: 'nothing', habit })
    const name = pick(random, ['uuid', 'hex', 'integer'] as const)
    const content = { ...thief.content, customArguments: { api_key_id: name } }
    return {
      span: { fromMs: atMs, toMs: atMs + habit.durationMs },
      targets: [targetOf(victim)],
      family: 'key',
      signals: ['key.new', 'key.overflow', 'fleet.shift', ...BLAST_SIGNALS],
      senders: [{ ...thief, content }],
    }
  },
}

const stolenVault: Scenario = {
  name: 'stolen-vault',
  kind: 'attack',
  wide: true,
  messagesMin: 80,
  about: 'many keys are used at once by one thief',
  suits: isEverydayKey,
  plan: (request) => {
    const { id, victim, fleet, atMs, random } = request
    const others = fleet.filter((profile) => profile !== victim && isEverydayKey(profile))
    const count = Math.min(others.length, wholeBetween(random, 2, 7))
    const stolen = [victim]
    while (stolen.length <= count) {
      const next = pick(random, others)
      if (!stolen.includes(next)) stolen.push(next)
    }
    const copied = pick(random, ['nothing', 'arguments'] as const)
    const list = drawThiefAudience(victim, random)
    const thieves = stolen.map((profile) => {
      const fromMs = Math.floor(atMs + random.next() * 25 * MINUTE_MS)
      const rate = betweenMagnitudes(random, 0.05, 2)
      const habit = burst(fromMs, { messages: wholeBetween(random, 40, 300), rate, random })
      return { habit, thief: makeThief(profile, { id, random, copied, habit, audience: list }) }
    })
    return {
      span: { fromMs: atMs, toMs: Math.max(...thieves.map(({ habit }) => habit.fromMs + habit.durationMs)) },
      targets: stolen.map(targetOf),
      family: 'fleet',
      signals: ['fleet.shift', ...signalsOf(victim, copied)],
      senders: thieves.map(({ thief }) => thief),
    }
  },
}

export const burstAttacks: readonly Scenario[] = [
  stolenKey,
  blast,
  blastCopiedArguments,
  blastNewsletter,
  testThenBlast,
  keyExplosion,
  stolenVault,
]

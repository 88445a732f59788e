import { HOUR_MS } from '../habit.ts'
import type { KeyProfile, Span } from '../key-profile.ts'
import { pick, plainText } from '../random.ts'
import { templateId } from '../usual-habits.ts'
import { burst, signalsOf } from './attacks-burst.ts'
import { evenHabit } from './attacks-slow.ts'
import { between, betweenMagnitudes, clamp, wholeBetween } from './draw.ts'
import { DAY_MS } from './local-time.ts'
import { targetOf, type Scenario } from './scenario.ts'
import { makeThief } from './thief.ts'
import { nearAudience } from './thief-audience.ts'
import { messagesPerDay } from './usual-volume.ts'

const sendsDaily = (profile: KeyProfile<string>, atMs: number, atLeast: number) =>
  messagesPerDay(profile, atMs) >= atLeast

const newContent: Scenario = {
  name: 'new-content',
  kind: 'attack',
  messagesMin: 40,
  about: 'the owner’s custom arguments, with a category and a template that the key never had',
  suits: (profile, atMs) => sendsDaily(profile, atMs, 5),
  plan: ({ id, victim, atMs, random }) => {
    const messages = Math.round(betweenMagnitudes(random, 60, 800))
    const rate = betweenMagnitudes(random, 0.05, 3)
    const habit = burst(atMs, { messages, rate, random })
    const thief = makeThief(victim, { id, random, copied: 'arguments', habit })
    const word = pick(random, ['urgent', 'notice', 'security', 'bonus', 'winner'])
    const name = `${word}-${plainText(random, 6)}`
    const [own = []] = victim.content.categories[0] ?? []
    const kept = own.filter((category) => category.startsWith('key:'))
    return {
      span: { fromMs: atMs, toMs: atMs + habit.durationMs },
      targets: [targetOf(victim)],
      family: 'sender',
      signals: signalsOf(victim, 'arguments'),
      senders: [
        {
          ...thief,
          content: {
            ...thief.content,
            customArguments: victim.content.customArguments,
            categories: [[[...kept, word], 1]],
            templates: [[{ id: templateId(name), name }, 1]],
          },
        },
      ],
    }
  },
}

/** An attack that hides in the key's usual volume: that part of it, but enough messages to be worth a thief's while. */
function hiddenHabit(
  victim: KeyProfile<string>,
  span: Span,
  part: { readonly share: number; readonly messagesMin: number },
) {
  const days = (span.toMs - span.fromMs) / DAY_MS
  const messages = messagesPerDay(victim, span.fromMs) * part.share * days
  return evenHabit(clamp(messages, part.messagesMin, 3000) / days)
}

const bounceStorm: Scenario = {
  name: 'bounce-storm',
  kind: 'attack',
  messagesMin: 60,
  about: 'a bought list full of dead addresses; all else is the owner’s',
  suits: (profile, atMs) => sendsDaily(profile, atMs, 20),
  plan: ({ id, victim, atMs, random }) => {
    const span = { fromMs: atMs, toMs: Math.floor(atMs + between(random, 1, 10) * HOUR_MS) }
    const thief = makeThief(victim, {
      id,
      random,
      copied: 'everything',
      audience: { audience: nearAudience(victim, random), near: false },
      habit: hiddenHabit(victim, span, { share: between(random, 0.8, 4), messagesMin: 90 }),
      active: span,
    })
    return {
      span,
      targets: [targetOf(victim)],
      family: 'outcome',
      signals: signalsOf(victim, 'everything'),
      senders: [{ ...thief, rates: { ...thief.rates, bounce: between(random, 0.25, 0.6) } }],
    }
  },
}

const spamReports: Scenario = {
  name: 'spam-reports',
  kind: 'attack',
  messagesMin: 150,
  about: 'recipients complain; all else is the owner’s',
  suits: (profile, atMs) => sendsDaily(profile, atMs, 100),
  plan: ({ id, victim, atMs, random }) => {
    const sentMs = between(random, 4, 14) * HOUR_MS
    const active = { fromMs: atMs, toMs: Math.floor(atMs + sentMs) }
    const thief = makeThief(victim, {
      id,
      random,
      copied: 'everything',
      audience: { audience: nearAudience(victim, random), near: true },
      habit: hiddenHabit(victim, active, { share: between(random, 0.5, 2), messagesMin: 250 }),
      active,
    })
    const rates = {
      ...thief.rates,
      spamReport: between(random, 0.03, 0.1),
      spamReportMedianMinutes: between(random, 20, 80),
    }
    return {
      // Complaints come late.
      span: { fromMs: active.fromMs, toMs: active.toMs + 3 * HOUR_MS },
      targets: [targetOf(victim)],
      family: 'outcome',
      signals: signalsOf(victim, 'everything'),
      senders: [{ ...thief, rates }],
    }
  },
}

const phishingLinks: Scenario = {
  name: 'phishing-links',
  kind: 'attack',
  messagesMin: 150,
  about: 'the links lead elsewhere, which only clicks show; all else is the owner’s',
  suits: (profile, atMs) => sendsDaily(profile, atMs, 60),
  plan: ({ id, victim, atMs, random }) => {
    const active = { fromMs: atMs, toMs: Math.floor(atMs + between(random, 0.6, 2) * DAY_MS) }
    const thief = makeThief(victim, {
      id,
      random,
      copied: 'everything',
      audience: { audience: victim.audience, near: true },
      habit: hiddenHabit(victim, active, { share: between(random, 0.2, 0.6), messagesMin: 200 }),
      active,
    })
    const { content, rates } = thief
    return {
      span: { fromMs: active.fromMs, toMs: active.toMs + 3 * HOUR_MS },
      targets: [targetOf(victim)],
      family: 'outcome',
      signals: signalsOf(victim, 'everything'),
      senders: [
        {
          ...thief,
          content: {
            ...victim.content,
            links:
              wholeBetween(random, 0, 2) === 0 ? [...content.links, ...victim.content.links] : content.links,
          },
          rates: {
            ...victim.rates,
            open: Math.max(victim.rates.open, 0.3),
            openMedianMinutes: Math.min(rates.openMedianMinutes, 60),
            click: between(random, 0.15, 0.5),
          },
        },
      ],
    }
  },
}

export const outcomeAttacks: readonly Scenario[] = [newContent, bounceStorm, spamReports, phishingLinks]

import { EVERY } from '#shared/domain/alert.ts'
import { HOUR_MS } from '../habit.ts'
import type { KeyProfile, Span, Trouble } from '../key-profile.ts'
import { pickWeighted } from '../random.ts'
import { between } from './draw.ts'
import type { Plan, Scenario } from './scenario.ts'
import { messagesPerDay } from './usual-volume.ts'

const isBusy = (profile: KeyProfile<string>, atMs: number) => messagesPerDay(profile, atMs) >= 20
/** SendGrid tries for up to 24 hours after the first delivery; 29 were measured. */
const REDELIVERED_FOR_MS = 29 * HOUR_MS

const ofSource = (source: string, span: Span): Plan => ({
  span,
  targets: [{ source, key: EVERY }],
  family: 'source',
  signals: [],
})

const redeliveryStorm: Scenario = {
  name: 'redelivery-storm',
  kind: 'benign',
  about: 'the events of some hours are delivered up to 46 times within 29 hours',
  suits: isBusy,
  plan: ({ id, victim: { source }, atMs, random }) => {
    const posted = { fromMs: atMs, toMs: Math.floor(atMs + between(random, 0.5, 3) * HOUR_MS) }
    return {
      ...ofSource(source, { fromMs: posted.fromMs, toMs: posted.toMs + REDELIVERED_FOR_MS }),
      deliveries: [{ kind: 'redelivered', scenario: id, source, ...posted }],
    }
  },
}

const outageCatchUp: Scenario = {
  name: 'outage-catch-up',
  kind: 'benign',
  about: 'nothing arrives for hours, then all of it at once, with its true times',
  suits: isBusy,
  plan: ({ id, victim: { source }, atMs, random }) => {
    const held = { fromMs: atMs, toMs: Math.floor(atMs + between(random, 1, 9) * HOUR_MS) }
    return {
      ...ofSource(source, { fromMs: held.fromMs, toMs: held.toMs + HOUR_MS }),
      deliveries: [{ kind: 'held', scenario: id, source, ...held }],
    }
  },
}

/** Every key meets it. */
function planTrouble(trouble: Trouble): Plan {
  return {
    span: { fromMs: trouble.fromMs, toMs: trouble.toMs + HOUR_MS },
    targets: [{ source: EVERY, key: EVERY }],
    family: 'outcome',
    signals: [],
    alter: (profile) => ({ ...profile, troubles: [...(profile.troubles ?? []), trouble] }),
  }
}

const domainOutage: Scenario = {
  name: 'domain-outage',
  kind: 'benign',
  about: 'the mail servers of one recipient domain are down, for every key',
  suits: (profile, atMs) =>
    isBusy(profile, atMs) && profile.audience.domains.some(([{ kind }]) => kind === 'domain'),
  plan: ({ id, victim, atMs, random }) => {
    const domains = victim.audience.domains.flatMap(([family, weight]) =>
      family.kind === 'domain' ? [[family.name, weight] as const] : [],
    )
    return planTrouble({
      kind: 'domain_down',
      scenario: id,
      recipientDomain: pickWeighted(random, domains),
      share: between(random, 0.75, 1),
      fromMs: atMs,
      toMs: Math.floor(atMs + between(random, 1, 10) * HOUR_MS),
    })
  },
}

const deferralIncident: Scenario = {
  name: 'deferral-incident',
  kind: 'benign',
  about: 'deferrals everywhere for some hours, delivered later',
  suits: isBusy,
  plan: ({ id, atMs, random }) =>
    planTrouble({
      kind: 'deferrals',
      scenario: id,
      share: between(random, 0.25, 0.8),
      fromMs: atMs,
      toMs: Math.floor(atMs + between(random, 0.7, 5) * HOUR_MS),
    }),
}

export const deliveryLookAlikes: readonly Scenario[] = [
  redeliveryStorm,
  outageCatchUp,
  domainOutage,
  deferralIncident,
]

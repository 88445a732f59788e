import { EVERY } from '#shared/domain/alert.ts'
import { HOUR_MS } from '../habit.ts'
import type { KeyProfile, Span, Trouble } from '../key-profile.ts'
import { pickWeighted } from '../random.ts'
import { between, wholeBetween } from './draw.ts'
import { homeZone, nextLocalTime, WORKING_DAYS } from './local-time.ts'
import type { Plan, PlanRequest, Scenario } from './scenario.ts'
import { messagesPerDay } from './usual-volume.ts'

const isBusy = (profile: KeyProfile<string>, atMs: number) =>
  profile.habit.kind === 'steady' && messagesPerDay(profile, atMs) >= 80
/** SendGrid tries for up to 24 hours after the first delivery; 29 were measured. */
const REDELIVERED_FOR_MS = 29 * HOUR_MS

/** In the daytime of the key that it is drawn for, when there is something to see. */
function startOf({ victim, atMs, random }: PlanRequest): number {
  return nextLocalTime(atMs, homeZone(victim), {
    minuteOfDay: wholeBetween(random, 7 * 60, 18 * 60),
    weekdays: WORKING_DAYS,
  })
}

const ofSource = (source: string, span: Span): Plan => ({
  span,
  targets: [{ source, key: EVERY }],
  family: 'source',
  signals: [],
})

const redeliveryStorm: Scenario = {
  name: 'redelivery-storm',
  kind: 'benign',
  wide: true,
  about: 'the events of some hours are delivered up to 46 times within 29 hours',
  suits: isBusy,
  plan: (request) => {
    const { id, random } = request
    const { source } = request.victim
    const fromMs = startOf(request)
    const posted = { fromMs, toMs: Math.floor(fromMs + between(random, 0.5, 3) * HOUR_MS) }
    return {
      ...ofSource(source, { fromMs: posted.fromMs, toMs: posted.toMs + REDELIVERED_FOR_MS }),
      deliveries: [{ kind: 'redelivered', scenario: id, source, ...posted }],
    }
  },
}

const outageCatchUp: Scenario = {
  name: 'outage-catch-up',
  kind: 'benign',
  wide: true,
  about: 'nothing arrives for hours, then all of it at once, with its true times',
  suits: isBusy,
  plan: (request) => {
    const { id, random } = request
    const { source } = request.victim
    const fromMs = startOf(request)
    const held = { fromMs, toMs: Math.floor(fromMs + between(random, 1, 9) * HOUR_MS) }
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
  wide: true,
  about: 'the mail servers of one recipient domain are down, for every key',
  suits: (profile, atMs) =>
    isBusy(profile, atMs) && profile.audience.domains.some(([{ kind }]) => kind === 'domain'),
  plan: (request) => {
    const { id, victim, random } = request
    const fromMs = startOf(request)
    const domains = victim.audience.domains.flatMap(([family, weight]) =>
      family.kind === 'domain' ? [[family.name, weight] as const] : [],
    )
    return planTrouble({
      kind: 'domain_down',
      scenario: id,
      recipientDomain: pickWeighted(random, domains),
      share: between(random, 0.75, 1),
      fromMs,
      toMs: Math.floor(fromMs + between(random, 1, 10) * HOUR_MS),
    })
  },
}

const deferralIncident: Scenario = {
  name: 'deferral-incident',
  kind: 'benign',
  wide: true,
  about: 'deferrals everywhere for some hours, delivered later',
  suits: isBusy,
  plan: (request) => {
    const { id, random } = request
    const fromMs = startOf(request)
    return planTrouble({
      kind: 'deferrals',
      scenario: id,
      share: between(random, 0.25, 0.8),
      fromMs,
      toMs: Math.floor(fromMs + between(random, 0.7, 5) * HOUR_MS),
    })
  },
}

export const deliveryLookAlikes: readonly Scenario[] = [
  redeliveryStorm,
  outageCatchUp,
  domainOutage,
  deferralIncident,
]

import type { EngineEvent, EventFacts } from '#shared/detection/engine-input.ts'
import type { Evidence, EvidenceSink } from '#shared/detection/evidence.ts'
import type { OutcomesGiven } from '#shared/detection/outcomes/outcome-watch.ts'

export const DAY_MINUTES = 1440
/** 2026-01-01, minutes since the epoch. */
export const FIRST_MINUTE = Date.UTC(2026, 0, 1) / 60_000

const noFacts: EventFacts = {
  recipient: 0,
  recipientDomain: '',
  fingerprint: '',
  senderHost: '',
  template: '',
  categories: '',
  pool: '',
  campaign: '',
  linkHost: '',
  bounceClass: '',
  machineOpen: false,
}

/** One event of a key that is watched; seconds may be a fraction of a minute's. */
export function outcomeEvent(event: string, minute: number, facts: Partial<EventFacts> = {}): EngineEvent {
  const timestamp = Math.floor(minute * 60)
  return {
    source: 'main',
    key: 'shop',
    event,
    timestamp,
    receivedAtMs: timestamp * 1000,
    attribution: 'test',
    facts: { ...noFacts, ...facts },
  }
}

export const judgedAndMature: OutcomesGiven = { nowMs: 0, judged: true, mature: true }

/** Takes every report and remembers the largest points of each signal. */
export function collectingSink(): EvidenceSink & {
  readonly reports: Evidence[]
  readonly most: (signal: string) => number
} {
  const reports: Evidence[] = []
  return {
    reports,
    wants: () => true,
    report: (evidence) => reports.push(evidence),
    most: (signal) =>
      reports.reduce((most, report) => (report.signal === signal ? Math.max(most, report.points) : most), 0),
  }
}

/** What becomes of the messages of a key, as shares; bounces are all of Invalid Address. */
export type OutcomeHabit = {
  readonly messagesADay: number
  readonly bounce: number
  readonly spamReport: number
  readonly unsubscribe: number
  readonly defer: number
  readonly drop: number
  readonly click: number
  readonly linkHost: string
}

export const usualHabit: OutcomeHabit = {
  messagesADay: 600,
  bounce: 0.005,
  spamReport: 0.0002,
  unsubscribe: 0.001,
  defer: 0.04,
  drop: 0.004,
  click: 0.1,
  linkHost: 'shop.example.com',
}

const domains = [
  'gmail.com',
  'outlook.com',
  'yahoo.com',
  'gmx.de',
  'example.org',
  'web.de',
  'aol.com',
] as const

/** The events of `messages` messages spread over a span, in the order of time. */
export function outcomesOf(
  habit: OutcomeHabit,
  span: { readonly startMinute: number; readonly minutes: number; readonly messages: number },
  random: () => number,
): EngineEvent[] {
  const events: EngineEvent[] = []
  const any = (share: number) => random() < share
  for (let message = 0; message < span.messages; message += 1) {
    const minute = span.startMinute + random() * span.minutes
    const recipient = 1 + Math.floor(random() * 0xffff_fff0)
    const recipientDomain = domains[Math.floor(random() ** 2 * domains.length)] ?? ''
    const facts = { recipient, recipientDomain }
    const later = (event: string, minutes: number, more: Partial<EventFacts> = {}) =>
      events.push(outcomeEvent(event, minute + minutes, { ...facts, ...more }))
    if (any(habit.drop)) {
      later('dropped', 0)
      continue
    }
    later('processed', 0)
    const delay = any(habit.defer) ? 5 + random() * 120 : 0.05
    if (delay > 1) later('deferred', 0.05)
    if (any(habit.bounce)) {
      later('bounce', delay, { bounceClass: 'Invalid Address' })
      continue
    }
    later('delivered', delay)
    if (any(habit.spamReport)) later('spamreport', delay + random() * 600)
    if (any(habit.click)) later('click', delay + 1 + random() * 300, { linkHost: habit.linkHost })
    if (any(habit.unsubscribe)) later('group_unsubscribe', delay + random() * 300)
  }
  return events.toSorted((a, b) => a.timestamp - b.timestamp)
}

/** A factor with mean 1 and the given coefficient of variation; log-normal. */
export function factor(variation: number, random: () => number): number {
  const spread = Math.sqrt(Math.log(1 + variation ** 2))
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.exp(spread * normal - spread ** 2 / 2)
}

/** Whole days of a key, the shares of each day differing by `variation`; in the order of time. */
export function usualDays(
  days: number,
  given: { readonly habit: OutcomeHabit; readonly variation: number; readonly random: () => number },
): EngineEvent[] {
  const { habit, variation, random } = given
  const events: EngineEvent[] = []
  for (let day = 0; day < days; day += 1) {
    const ofDay = { ...habit }
    for (const name of ['bounce', 'spamReport', 'unsubscribe', 'defer', 'drop'] as const) {
      ofDay[name] = habit[name] * factor(variation, random)
    }
    const startMinute = FIRST_MINUTE + day * DAY_MINUTES
    events.push(
      ...outcomesOf(ofDay, { startMinute, minutes: DAY_MINUTES, messages: habit.messagesADay }, random),
    )
  }
  return events.toSorted((a, b) => a.timestamp - b.timestamp)
}

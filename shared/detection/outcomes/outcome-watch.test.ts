import { describe, expect, it } from 'vitest'
import {
  collectingSink,
  DAY_MINUTES,
  FIRST_MINUTE,
  judgedAndMature,
  outcomeEvent,
  outcomesOf,
  usualDays,
  usualHabit,
  type OutcomeHabit,
} from '../../../test/support/outcome-traffic.ts'
import { seededRandom } from '../../../test/support/test-traffic.ts'
import type { EngineEvent } from '../engine-input.ts'
import {
  acceptOutcomes,
  advanceOutcomes,
  countOutcome,
  createOutcomes,
  describeOutcomes,
  setOutcomeTraining,
  type OutcomeState,
} from './outcome-watch.ts'

const HISTORY_DAYS = 20
const NEXT_DAY = FIRST_MINUTE + HISTORY_DAYS * DAY_MINUTES
const NOON = NEXT_DAY + 720

function feed(state: OutcomeState, events: readonly EngineEvent[], given = judgedAndMature) {
  const sink = collectingSink()
  for (const event of events) countOutcome(state, event, given, sink)
  return sink
}

function keyWithHistory(habit: Partial<OutcomeHabit> = {}, { seed = 1, variation = 0.4 } = {}) {
  const state = createOutcomes()
  const given = { habit: { ...usualHabit, ...habit }, variation, random: seededRandom(seed) }
  const history = usualDays(HISTORY_DAYS, given).filter(({ timestamp }) => timestamp < NEXT_DAY * 60)
  const sink = feed(state, history)
  advanceOutcomes(state, NEXT_DAY, judgedAndMature, sink)
  return { state, sink }
}

/** How many events of a type were fed when the signal first had so many points. */
function countWhen(
  state: OutcomeState,
  events: readonly EngineEvent[],
  wanted: { event: string; signal: string; points: number },
): number {
  let count = 0
  for (const event of events) {
    if (event.event === wanted.event) count += 1
    if (feed(state, [event]).most(wanted.signal) >= wanted.points) return count
  }
  return Infinity
}

const seeds = [1, 2, 3, 4, 5, 6]

describe('bounces', () => {
  it.each(seeds)(
    'of a bought list are conclusive within a dozen, on a key of 600 messages a day (%i)',
    (seed) => {
      const { state } = keyWithHistory({}, { seed })
      const list = outcomesOf(
        { ...usualHabit, bounce: 0.15 },
        { startMinute: NOON, minutes: 30, messages: 200 },
        seededRandom(seed + 50),
      )
      const bounces = countWhen(state, list, { event: 'bounce', signal: 'rate.bounce', points: 6 })
      expect(bounces).toBeGreaterThanOrEqual(4)
      expect(bounces).toBeLessThanOrEqual(12)
    },
  )

  it('do not add up to a page on usual days, however the days differ', () => {
    for (const variation of [0.2, 0.5, 0.8]) {
      const { sink } = keyWithHistory({ spamReport: 0.001 }, { seed: 7, variation })
      for (const signal of ['rate.bounce', 'rate.drop', 'rate.defer', 'rate.spam_report', 'rate.unsubscribe'])
        expect(sink.most(signal)).toBeLessThan(4)
    }
  })

  it.each(seeds)('of a bad day, twice the usual share, stay below two points (%i)', (seed) => {
    const { state } = keyWithHistory({ bounce: 0.01 }, { seed })
    const day = { startMinute: NEXT_DAY, minutes: DAY_MINUTES, messages: 600 }
    const bad = outcomesOf({ ...usualHabit, bounce: 0.02 }, day, seededRandom(seed + 90))
    expect(feed(state, bad).most('rate.bounce')).toBeLessThan(2)
  })

  it('that are technical, or nearly all at one recipient domain, are an outage there', () => {
    for (const facts of [{ bounceClass: 'Technical' }, { recipientDomain: 'gmx.de' }]) {
      const { state } = keyWithHistory()
      const list = outcomesOf(
        { ...usualHabit, bounce: 0.3 },
        { startMinute: NOON, minutes: 60, messages: 300 },
        seededRandom(3),
      ).map((event) =>
        event.event === 'bounce' && event.facts !== undefined
          ? { ...event, facts: { ...event.facts, ...facts } }
          : event,
      )
      const most = feed(state, list).most('rate.bounce')
      expect(most).toBeGreaterThanOrEqual(1)
      // The third bounce may be at one domain by chance.
      expect(most).toBeLessThanOrEqual(3)
      const late = list.slice(Math.floor(list.length / 2))
      expect(feed(state, late).most('rate.bounce')).toBeLessThanOrEqual(1.5)
    }
  })

  it('of one address that a program keeps trying count once', () => {
    const { state } = keyWithHistory()
    const tries = Array.from({ length: 50 }, (_, index) => [
      outcomeEvent('processed', NOON + index),
      outcomeEvent('bounce', NOON + index, {
        recipient: 77,
        recipientDomain: 'example.org',
        bounceClass: 'Invalid Address',
      }),
    ]).flat()
    expect(feed(state, tries).most('rate.bounce')).toBe(0)
  })

  it('are never conclusive on a key whose habits are unknown', () => {
    const { state } = keyWithHistory()
    const list = outcomesOf(
      { ...usualHabit, bounce: 0.3 },
      { startMinute: NOON, minutes: 30, messages: 200 },
      seededRandom(1),
    )
    expect(feed(state, list, { ...judgedAndMature, mature: false }).most('rate.bounce')).toBeLessThanOrEqual(
      3,
    )
    expect(feed(createOutcomes(), list).most('rate.bounce')).toBeLessThanOrEqual(3)
  })
})

describe('deferrals', () => {
  it('of an incident at SendGrid are at most two points', () => {
    const { state } = keyWithHistory()
    const list = outcomesOf(
      { ...usualHabit, defer: 0.9 },
      { startMinute: NOON, minutes: 60, messages: 500 },
      seededRandom(3),
    )
    const most = feed(state, list).most('rate.defer')
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(2)
  })
})

describe('spam reports', () => {
  const reports = (count: number, minute: number) =>
    Array.from({ length: count }, (_, index) =>
      outcomeEvent('spamreport', minute + index, {
        recipient: 1000 + index,
        recipientDomain: `d${index}.example`,
      }),
    )

  it('of three in forty messages are conclusive, of three in forty thousand nothing', () => {
    const few = { messagesADay: 40, spamReport: 0, click: 0, unsubscribe: 0 }
    const { state } = keyWithHistory(few)
    const own = outcomesOf(
      { ...usualHabit, ...few },
      { startMinute: NOON, minutes: 60, messages: 40 },
      seededRandom(2),
    )
    feed(state, own)
    expect(feed(state, reports(3, NOON + 200)).most('rate.spam_report')).toBeGreaterThan(3.5)
    expect(feed(state, reports(5, NOON + 210)).most('rate.spam_report')).toBeGreaterThan(6)

    const many = createOutcomes()
    const quiet = { ...usualHabit, messagesADay: 10_000, spamReport: 0.0001, click: 0, unsubscribe: 0 }
    feed(many, usualDays(5, { habit: quiet, variation: 0.2, random: seededRandom(4) }))
    expect(feed(many, reports(3, FIRST_MINUTE + 5 * DAY_MINUTES)).most('rate.spam_report')).toBeLessThan(2)
  })

  it('about the mail of an incident that has been told are no news for a day', () => {
    const { state } = keyWithHistory()
    setOutcomeTraining(state, { startMinute: NOON - 60, endMinute: NOON }, false)
    expect(feed(state, reports(8, NOON + 300)).reports).toEqual([])
    expect(feed(state, reports(20, NOON + 2 * DAY_MINUTES)).most('rate.spam_report')).toBeGreaterThan(3)
  })
})

describe('training', () => {
  const storm = outcomesOf(
    { ...usualHabit, bounce: 0.2, click: 0 },
    { startMinute: NOON, minutes: 30, messages: 300 },
    seededRandom(8),
  )
  const usualBounce = (state: OutcomeState) => {
    const described = describeOutcomes(state)
    const text = JSON.stringify(described)
    return Number(/"usual_share":([\d.e-]+)/.exec(text)?.[1])
  }

  it('leaves out the day of an incident, and takes it in again when the alarm was false', () => {
    const { state } = keyWithHistory()
    const before = usualBounce(state)
    feed(state, storm)
    expect(usualBounce(state)).toBe(before)
    setOutcomeTraining(state, { startMinute: NOON, endMinute: NOON + 40 }, false)
    const sink = collectingSink()
    advanceOutcomes(state, NEXT_DAY + DAY_MINUTES, judgedAndMature, sink)
    // The oldest day apart has become part of the past and counts a little less.
    expect(usualBounce(state)).toBeCloseTo(before, 5)
    setOutcomeTraining(state, { startMinute: NOON, endMinute: NOON + 40 }, true)
    expect(usualBounce(state)).toBeGreaterThan(before * 1.3)
    expect(sink.reports).toEqual([])
  })

  it('does not tell the same bounces again once their incident is over', () => {
    const { state } = keyWithHistory()
    feed(state, storm)
    setOutcomeTraining(state, { startMinute: NOON, endMinute: NOON + 40 }, false)
    const after = outcomesOf(
      { ...usualHabit, bounce: 0.01 },
      { startMinute: NOON + 150, minutes: 500, messages: 220 },
      seededRandom(9),
    )
    expect(feed(state, after).most('rate.bounce')).toBeLessThan(2)
  })

  it('takes what is accepted as the new normal at once', () => {
    const { state } = keyWithHistory()
    feed(state, storm)
    acceptOutcomes(state)
    const again = outcomesOf(
      { ...usualHabit, bounce: 0.2, click: 0 },
      { startMinute: NOON + 120, minutes: 30, messages: 100 },
      seededRandom(10),
    )
    expect(feed(state, again).most('rate.bounce')).toBeLessThan(3)
  })
})

describe('late events', () => {
  it('are counted into their own time without being judged', () => {
    const { state } = keyWithHistory()
    const list = outcomesOf(
      { ...usualHabit, bounce: 0.3, click: 0, defer: 0 },
      { startMinute: NOON, minutes: 10, messages: 100 },
      seededRandom(1),
    )
    feed(state, [outcomeEvent('processed', NOON + 600)])
    expect(feed(state, list).reports).toEqual([])
  })
})

import fc from 'fast-check'
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
} from '../../../test/support/outcome-traffic.ts'
import { seededRandom } from '../../../test/support/test-traffic.ts'
import type { EngineEvent } from '../engine-input.ts'
import { decodeOutcomes, encodeOutcomes } from './outcome-codec.ts'
import { DAY_STRIDE } from './outcome-counts.ts'
import {
  advanceOutcomes,
  countOutcome,
  createOutcomes,
  setOutcomeTraining,
  type OutcomeState,
} from './outcome-watch.ts'

function feed(state: OutcomeState, events: readonly EngineEvent[]) {
  const sink = collectingSink()
  for (const event of events) countOutcome(state, event, judgedAndMature, sink)
  return sink
}

describe('the state', () => {
  const random = seededRandom(21)
  const history = usualDays(6, { habit: { ...usualHabit, messagesADay: 120 }, variation: 0.5, random })
  const storm = outcomesOf(
    { ...usualHabit, bounce: 0.2, spamReport: 0.05, linkHost: 'login-bank.example', click: 0.3 },
    { startMinute: FIRST_MINUTE + 5.4 * DAY_MINUTES, minutes: 60, messages: 80 },
    random,
  )
  const events = [...history, ...storm].toSorted((a, b) => a.timestamp - b.timestamp)

  it('behaves alike for ever after it was encoded and decoded, wherever that is done', () => {
    const whole = createOutcomes()
    const wholeSink = feed(whole, events)
    expect(wholeSink.reports.length).toBeGreaterThan(5)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: events.length }), (cut) => {
        const first = createOutcomes()
        const before = feed(first, events.slice(0, cut))
        const second = decodeOutcomes(JSON.parse(JSON.stringify(encodeOutcomes(first))))
        const after = feed(second, events.slice(cut))
        expect([...before.reports, ...after.reports]).toEqual(wholeSink.reports)
        expect(encodeOutcomes(second)).toEqual(encodeOutcomes(whole))
      }),
      { numRuns: 20 },
    )
  })

  it('is the same whether the clock moves minute by minute or jumps over days', () => {
    for (const [days, held] of [
      [2, false],
      [9, false],
      [9, true],
      [30, true],
    ] as const) {
      const stepwise = createOutcomes()
      const jumping = createOutcomes()
      const sink = feed(stepwise, events)
      feed(jumping, events)
      const { head } = stepwise.counts
      for (const state of [stepwise, jumping]) {
        if (held) setOutcomeTraining(state, { startMinute: head - 600, endMinute: head }, false)
      }
      for (let minute = head; minute <= head + days * DAY_MINUTES; minute += 7)
        advanceOutcomes(stepwise, minute, judgedAndMature, sink)
      for (const state of [stepwise, jumping])
        advanceOutcomes(state, head + days * DAY_MINUTES, judgedAndMature, sink)
      expect(encodeOutcomes(jumping)).toEqual(encodeOutcomes(stepwise))
    }
  })

  it('counts the same in whatever order the events of one minute come', () => {
    const inOrder = createOutcomes()
    const shuffled = createOutcomes()
    feed(inOrder, events)
    const minuteOf = ({ timestamp }: EngineEvent) => Math.floor(timestamp / 60)
    feed(
      shuffled,
      events.toSorted((a, b) => minuteOf(a) - minuteOf(b) || (a.event < b.event ? -1 : 1)),
    )
    expect(shuffled.counts).toEqual(inOrder.counts)
  })

  it('stays bounded whatever it is fed', () => {
    const state = createOutcomes()
    const types = [
      'processed',
      'bounce',
      'dropped',
      'deferred',
      'spamreport',
      'unsubscribe',
      'click',
      'delivered',
    ]
    const any = seededRandom(2)
    for (let index = 0; index < 40_000; index += 1) {
      const event = outcomeEvent(
        types[Math.floor(any() * types.length)] ?? '',
        FIRST_MINUTE + index * any() * 2,
        {
          recipient: Math.floor(any() * 2 ** 32),
          recipientDomain: `d${index}.example`,
          linkHost: `h${index}.${'long'.repeat(60)}.example${index}.com`,
          bounceClass: any() < 0.5 ? 'Invalid Address' : 'Content',
        },
      )
      if (index % 97 === 0) setOutcomeTraining(state, { startMinute: 0, endMinute: state.counts.head }, false)
      countOutcome(state, event, judgedAndMature, collectingSink())
    }
    expect(state.counts.days.length).toBeLessThanOrEqual(11 * DAY_STRIDE)
    expect(state.hosts.known.length).toBeLessThanOrEqual(12)
    expect(state.hosts.fresh.length).toBeLessThanOrEqual(4)
    expect(JSON.stringify(encodeOutcomes(state)).length).toBeLessThan(8192)
  })
})

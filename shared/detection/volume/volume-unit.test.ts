import { describe, expect, it } from 'vitest'
import { createSourceState, learnUnit, rememberStored } from '../source-state.ts'
import { chooseUnit, isMessage, undecidedUnit, type UnitChoice } from './volume-unit.ts'

function after(choice: UnitChoice, event: string, count: number): UnitChoice {
  let next = choice
  for (let index = 0; index < count; index += 1) next = chooseUnit(next, event)
  return next
}

/** A source that has sent for a while, each message with its outcome. */
function settled(): UnitChoice {
  let choice = undecidedUnit
  for (let index = 0; index < 1000; index += 1) choice = after(after(choice, 'processed', 1), 'delivered', 1)
  return choice
}

describe('the unit of volume', () => {
  it('is the outcomes where the first five hundred events have no message', () => {
    expect(after(undecidedUnit, 'delivered', 499).unit).toBe('processed')
    expect(after(undecidedUnit, 'delivered', 500).unit).toBe('outcomes')
    expect(after(after(undecidedUnit, 'processed', 1), 'open', 5000).unit).toBe('processed')
  })

  it('becomes the outcomes once five hundred of them come without a message, and goes back with the first', () => {
    for (const event of ['delivered', 'bounce', 'dropped']) {
      expect(after(settled(), event, 499).unit).toBe('processed')
      const switchedOff = after(settled(), event, 500)
      expect(switchedOff.unit).toBe('outcomes')
      expect(isMessage(switchedOff.unit, event)).toBe(true)
      expect(after(switchedOff, 'processed', 1).unit).toBe('processed')
    }
    expect(after(after(undecidedUnit, 'delivered', 500), 'processed', 1).unit).toBe('processed')
  })

  it('stays while a newsletter is delivered for hours after the last of it was processed', () => {
    const processed = after(after(settled(), 'processed', 20_000), 'dropped', 3000)
    const delivered = after(processed, 'delivered', 20_499)
    expect(delivered.unit).toBe('processed')
    expect(after(delivered, 'delivered', 1).unit).toBe('outcomes')
  })

  it('of opens and clicks alone does not change', () => {
    for (const event of ['open', 'click', 'deferred', 'spamreport', 'unsubscribe']) {
      expect(after(settled(), event, 5000)).toEqual(settled())
    }
  })

  it('that the warehouse knows holds after a restart, until a day of outcomes and more has no message', () => {
    const state = createSourceState('main')
    rememberStored(state, {
      source: 'main',
      firstSeen: 0,
      unit: 'processed',
      messages: 35 * 2000,
      unattributedMessages: 0,
    })
    for (let index = 0; index < 2499; index += 1) learnUnit(state, 'delivered')
    expect(state.unit.unit).toBe('processed')
    learnUnit(state, 'delivered')
    expect(state.unit.unit).toBe('outcomes')
  })
})

import { describe, expect, it } from 'vitest'
import { countValue, createValueMemory, endDay, pointsOf, type ValueMemory } from './value-memory.ts'

/** A key's days: the values of each day. */
function learnt(days: readonly (readonly string[])[]): ValueMemory {
  const memory = createValueMemory()
  for (const [day, values] of days.entries()) {
    for (const value of values) countValue(memory, value)
    endDay(memory, { day, learn: true, first: day === 0 })
  }
  return memory
}
const given = (activeDays: number) => ({ activeDays, messages: activeDays * 100 })

describe('how surprising a value is', () => {
  const steady = Array.from({ length: 40 }, () => ['invoice', 'reminder'])

  it('is nothing for one that is used every day', () => {
    const memory = learnt(steady)
    expect(pointsOf(memory, countValue(memory, 'invoice'), given(40))).toBe(0)
  })

  it('is above two points for the first new one in forty days', () => {
    const memory = learnt(steady)
    expect(pointsOf(memory, countValue(memory, 'urgent'), given(40))).toBeGreaterThan(2)
  })

  it('is next to nothing for a key that makes a new one every day', () => {
    const memory = learnt(Array.from({ length: 40 }, (_, day) => [`campaign ${day}`]))
    expect(pointsOf(memory, countValue(memory, 'campaign 40'), given(40))).toBeLessThan(0.2)
  })

  it('grows with the days that brought nothing new', () => {
    const points = [3, 10, 40].map((days) => {
      const memory = learnt(steady.slice(0, days))
      return pointsOf(memory, countValue(memory, 'urgent'), given(days))
    })
    expect(points).toEqual(points.toSorted((a, b) => a - b))
  })

  it('stays where a day is not to be learnt from, and is gone where it is', () => {
    const memory = learnt(steady)
    countValue(memory, 'urgent')
    endDay(memory, { day: 40, learn: false, first: false })
    expect(pointsOf(memory, countValue(memory, 'urgent'), given(40))).toBeGreaterThan(2)
    endDay(memory, { day: 41, learn: true, first: false })
    expect(countValue(memory, 'urgent').count).toBe(1)
  })

  it('is great again for a value that was not used for more than two months', () => {
    const memory = learnt([['old'], ...steady, ...steady])
    expect(pointsOf(memory, countValue(memory, 'old'), given(81))).toBeGreaterThan(1.7)
  })
})

it('keeps a bounded number of values, whatever is sent', () => {
  const memory = createValueMemory()
  for (let value = 0; value < 1000; value += 1) countValue(memory, String(value))
  expect(memory.records.length).toBeLessThanOrEqual(24)
})

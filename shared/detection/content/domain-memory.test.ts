import { describe, expect, it } from 'vitest'
import {
  addDomain,
  clearWindow,
  createDomainMemory,
  endDayOfDomains,
  learntOf,
  OTHER,
  placeOfDomain,
  placeWindowOf,
  setToday,
  setWindow,
  todayOf,
} from './domain-memory.ts'

/** The n-th domain has n + 1 messages of today, twice as many in the window. */
function filled(domains: number) {
  const memory = createDomainMemory()
  for (let number = 0; number < domains; number += 1) {
    const place = addDomain(memory, hashOf(number), `domain-${number}.example`)
    setToday(memory, place, number + 1)
    setWindow(memory, place, 2 * (number + 1))
  }
  return memory
}
const hashOf = (number: number) => 1_000_003 * (number + 1)

describe('a memory of domains', () => {
  it('keeps every number of every domain while it grows', () => {
    for (const domains of [1, 4, 5, 17, 40]) {
      const memory = filled(domains)
      for (let number = 0; number < domains; number += 1) {
        const place = placeOfDomain(memory, hashOf(number))
        expect(memory.names[place]).toBe(`domain-${number}.example`)
        expect(todayOf(memory, place)).toBe(number + 1)
        expect(placeWindowOf(memory, place)).toBe(2 * (number + 1))
        expect(learntOf(memory, place)).toBe(0)
      }
    }
  })

  it('gives no place to the forty-first', () => {
    expect(addDomain(filled(40), 7, 'one-more.example')).toBe(OTHER)
  })

  it('learns the day, and gives up the places of those mailed least when all are taken', () => {
    const memory = filled(40)
    endDayOfDomains(memory, true)
    expect(memory.size).toBe(32)
    expect(placeOfDomain(memory, hashOf(7))).toBe(OTHER)
    for (let number = 8; number < 40; number += 1) {
      const place = placeOfDomain(memory, hashOf(number))
      expect(memory.names[place]).toBe(`domain-${number}.example`)
      expect(learntOf(memory, place)).toBe(number + 1)
      expect(todayOf(memory, place)).toBe(0)
      expect(placeWindowOf(memory, place)).toBe(2 * (number + 1))
    }
    // Those that gave up their places had 36 messages, which count for a day older.
    expect(memory.total).toBeCloseTo((40 * 41) / 2 - 0.02 * 36)
  })

  it('clears the window and nothing else', () => {
    const memory = filled(5)
    clearWindow(memory)
    expect([0, 1, 2, 3, 4].map((place) => placeWindowOf(memory, place))).toEqual([0, 0, 0, 0, 0])
    expect([0, 1, 2, 3, 4].map((place) => todayOf(memory, place))).toEqual([1, 2, 3, 4, 5])
  })
})

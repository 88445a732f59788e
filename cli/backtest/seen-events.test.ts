import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSeenEvents } from './seen-events.ts'

const HOUR_MS = 3_600_000
const identity = fc.record({
  source: fc.constantFrom('main', 'billing'),
  timestamp: fc.integer({ min: 0, max: 3 }),
  eventId: fc.string({ maxLength: 2 }),
})

describe('createSeenEvents', () => {
  it('knows each event again, and no other', () => {
    fc.assert(
      fc.property(fc.array(identity, { maxLength: 300 }), (events) => {
        const seen = createSeenEvents()
        const known = new Set<string>()
        for (const event of events) {
          const name = JSON.stringify([event.source, event.timestamp, event.eventId])
          expect(seen.add(event, 0)).toBe(!known.has(name))
          known.add(name)
        }
      }),
    )
  })

  it('takes none of a million events for another', () => {
    const seen = createSeenEvents()
    let fresh = 0
    for (let index = 0; index < 1_000_000; index++) {
      const event = { source: 'main', timestamp: 1_790_000_000 + (index >> 4), eventId: `id-${index}` }
      if (seen.add(event, index)) fresh += 1
    }
    expect(fresh).toBe(1_000_000)
  })

  it('knows an event that is delivered 46 times over 29 hours while others come, and forgets it in the end', () => {
    const seen = createSeenEvents()
    const storm = { source: 'main', timestamp: 1_790_000_000, eventId: 'again' }
    expect(seen.add(storm, 0)).toBe(true)
    const again: boolean[] = []
    for (let minute = 0; minute <= 29 * 60; minute++) {
      seen.add({ source: 'main', timestamp: minute, eventId: `other-${minute}` }, minute * 60_000)
      if (minute % 38 === 0) again.push(seen.add(storm, minute * 60_000))
    }
    expect(again).toEqual(again.map(() => false))
    expect(again).toHaveLength(46)
    for (let hour = 30; hour <= 120; hour++) seen.add({ ...storm, eventId: `hour-${hour}` }, hour * HOUR_MS)
    expect(seen.add(storm, 121 * HOUR_MS)).toBe(true)
  })

  it('remembers no more than it may, and says so', () => {
    const seen = createSeenEvents(1000)
    for (let index = 0; index < 900; index++) {
      seen.add({ source: 'main', timestamp: index, eventId: 'x' }, 0)
    }
    expect(seen.isCutShort()).toBe(true)
    // The newest are known, the oldest may be forgotten.
    expect(seen.add({ source: 'main', timestamp: 899, eventId: 'x' }, 0)).toBe(false)
  })
})

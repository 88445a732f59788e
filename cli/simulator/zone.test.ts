import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockChanges, offsetHours } from './zone.ts'

const HOUR_MS = 3_600_000
const places = ['Europe/Berlin', 'America/New_York'] as const

/** What the runtime's own time zone data says. */
function offsetByIntl(zone: string, atMs: number): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  const name = parts.formatToParts(atMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  return Number(/GMT([+-]\d{2})/.exec(name)?.[1] ?? 0)
}

describe('offsetHours', () => {
  it.each(places)('agrees with the time zone data base at any hour from 2010 to 2037: %s', (zone) => {
    const fromHour = Date.UTC(2010, 0, 1) / HOUR_MS
    const toHour = Date.UTC(2037, 11, 31) / HOUR_MS
    fc.assert(
      fc.property(fc.integer({ min: fromHour, max: toHour }), (hour) => {
        expect(offsetHours(zone, hour * HOUR_MS)).toBe(offsetByIntl(zone, hour * HOUR_MS))
      }),
      { numRuns: 300 },
    )
  })

  it('changes at 01:00 UTC in Berlin and at 07:00 UTC in New York', () => {
    expect(clockChanges('Europe/Berlin', Date.UTC(2026, 0, 1), Date.UTC(2026, 11, 1))).toEqual([
      Date.UTC(2026, 2, 29, 1),
      Date.UTC(2026, 9, 25, 1),
    ])
    expect(clockChanges('America/New_York', Date.UTC(2026, 0, 1), Date.UTC(2026, 5, 1))).toEqual([
      Date.UTC(2026, 2, 8, 7),
    ])
    expect(clockChanges(1, 0, Date.UTC(2030, 0, 1))).toEqual([])
  })
})

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MARCH = 2
const OCTOBER = 9
const NOVEMBER = 10

/** A home time zone: hours ahead of UTC the whole year round, or a place with summer time. */
export type Zone = number | 'Europe/Berlin' | 'America/New_York'

type Summer = { readonly fromMs: number; readonly toMs: number }
type Place = {
  readonly standardHours: number
  readonly summers: Map<number, Summer>
  readonly summerOf: (year: number) => Summer
}

/**
 * Rules since 1996 (Directive 2000/84/EC: last Sundays of March and October, 01:00 UTC) and since 2007 (Energy Policy
 * Act of 2005: second Sunday of March and first of November, 02:00 local time).
 */
const places: Readonly<Record<Exclude<Zone, number>, Place>> = {
  'Europe/Berlin': {
    standardHours: 1,
    summers: new Map(),
    summerOf: (year) => ({
      fromMs: lastSunday(year, MARCH) + HOUR_MS,
      toMs: lastSunday(year, OCTOBER) + HOUR_MS,
    }),
  },
  'America/New_York': {
    standardHours: -5,
    summers: new Map(),
    summerOf: (year) => ({
      fromMs: firstSunday(year, MARCH) + 7 * DAY_MS + 7 * HOUR_MS,
      toMs: firstSunday(year, NOVEMBER) + 6 * HOUR_MS,
    }),
  },
}

/** Hours that a zone's clocks are ahead of UTC at an instant. */
export function offsetHours(zone: Zone, atMs: number): number {
  if (typeof zone === 'number') return zone
  const place = places[zone]
  const summer = summerIn(place, yearOf(atMs))
  return place.standardHours + (atMs >= summer.fromMs && atMs < summer.toMs ? 1 : 0)
}

/** The instants at which a place's clocks change between two instants. */
export function clockChanges(zone: Zone, fromMs: number, toMs: number): number[] {
  if (typeof zone === 'number') return []
  const changes: number[] = []
  for (let year = yearOf(fromMs); year <= yearOf(toMs); year++) {
    const summer = summerIn(places[zone], year)
    changes.push(summer.fromMs, summer.toMs)
  }
  return changes.filter((atMs) => atMs >= fromMs && atMs < toMs)
}

function summerIn(place: Place, year: number): Summer {
  const known = place.summers.get(year)
  if (known !== undefined) return known
  const summer = place.summerOf(year)
  place.summers.set(year, summer)
  return summer
}

/** Of an instant between 1970 and 2100; exact but for the hours around New Year, when no clock changes. */
function yearOf(atMs: number): number {
  return 1970 + Math.floor(atMs / (365.2425 * DAY_MS))
}

function firstSunday(year: number, month: number): number {
  const firstMs = Date.UTC(year, month, 1)
  return firstMs + ((7 - new Date(firstMs).getUTCDay()) % 7) * DAY_MS
}

function lastSunday(year: number, month: number): number {
  const lastMs = Date.UTC(year, month + 1, 0)
  return lastMs - new Date(lastMs).getUTCDay() * DAY_MS
}

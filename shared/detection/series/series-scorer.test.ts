import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SERIES_PAGING_SCORE, createSeriesScorer } from './series-scorer.ts'

const STEP_SECONDS = 300
const ROWS_PER_DAY = 86_400 / STEP_SECONDS
const START_SECONDS = 1_700_000_000

type Row = readonly [timestampSeconds: number, value: number]

function scoresOf(rows: readonly Row[]): number[] {
  const { score } = createSeriesScorer()
  return rows.map(([timestampSeconds, value]) => score(timestampSeconds, value))
}

function everyFiveMinutes(length: number, valueOf: (row: number) => number): Row[] {
  return Array.from({ length }, (_, row) => [START_SECONDS + row * STEP_SECONDS, valueOf(row)] as const)
}

function pagedRows(rows: readonly Row[]): number[] {
  return scoresOf(rows).flatMap((score, row) => (score >= SERIES_PAGING_SCORE ? [row] : []))
}

/** Between −1 and 1, bell-shaped, from a linear congruential generator (Numerical Recipes' constants). */
function noise(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
  return () => (uniform() + uniform() + uniform() + uniform()) / 2 - 1
}

function noisy(length: number, valueOf: (row: number) => number): Row[] {
  const next = noise(7)
  return everyFiveMinutes(length, (row) => valueOf(row) + next())
}

/** Whole numbers, constants, tiny and huge ones, at any times in any order. */
const anyRows = fc
  .array(
    fc.tuple(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.oneof(
        fc.constant(0),
        fc.integer({ min: -5, max: 5 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((rows) => Array.from({ length: 30 }, () => rows).flat())

describe('a series scorer', () => {
  it('gives every row of any finite series a score from 0 to 1, the same each time', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const scores = scoresOf(rows)
        expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true)
        expect(scoresOf(rows)).toEqual(scores)
      }),
    )
  })

  it('scores a row from that row and those before it', () => {
    const rows = noisy(900, (row) => Math.sin(row / 40) * 3)
    const scores = scoresOf(rows)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), fc.double({ min: -1e6, max: 1e6 }), (length, later) => {
        const altered = rows.map(([at, value], row) => [at, row < length ? value : later] as const)
        expect(scoresOf(altered).slice(0, length)).toEqual(scores.slice(0, length))
      }),
      { numRuns: 20 },
    )
  })

  it('knows no unit: eight times the values, or their negatives, have the same scores', () => {
    const rows = noisy(1500, (row) => (row === 1200 ? 40 : 10))
    const scores = scoresOf(rows)
    expect(scoresOf(rows.map(([at, value]) => [at, value * 8] as const))).toEqual(scores)
    scoresOf(rows.map(([at, value]) => [at, -value] as const)).forEach((score, row) => {
      expect(score).toBeCloseTo(scores[row] ?? 0, 6)
    })
  })

  it.each([
    { what: 'a constant', valueOf: () => 45 },
    { what: 'zeros', valueOf: () => 0 },
    { what: 'a wave of one day', valueOf: (row: number) => Math.sin((row / ROWS_PER_DAY) * 2 * Math.PI) },
    { what: 'two values in turn', valueOf: (row: number) => (row % 2) * 1e-3 },
    { what: 'days of work and nights of nothing', valueOf: (row: number) => (row % 288 < 120 ? 80 : 20) },
  ])('stays quiet on $what', ({ valueOf }) => {
    expect(pagedRows(everyFiveMinutes(3000, valueOf)).filter((row) => row > 2 * ROWS_PER_DAY)).toEqual([])
  })

  it('pages at most once in a thousand rows of noise', () => {
    expect(pagedRows(noisy(8000, () => 100)).length).toBeLessThanOrEqual(8)
  })

  it.each([10, -10])('pages on the row of a spike by %d, and not again for that spike', (height) => {
    expect(
      pagedRows(noisy(2500, (row) => (row >= 2000 && row < 2006 ? height : 0))).filter((row) => row >= 1990),
    ).toEqual([2000])
  })

  it('pages within twenty rows when the level moves by less than the noise', () => {
    const [paged = Infinity] = pagedRows(noisy(2500, (row) => (row >= 2000 ? 0.8 : 0))).filter(
      (row) => row >= 2000,
    )
    expect(paged).toBeLessThan(2020)
  })

  it('pages within thirty rows when the noise doubles', () => {
    const next = noise(3)
    const rows = everyFiveMinutes(2500, (row) => next() * (row >= 2000 ? 2 : 1))
    const [paged = Infinity] = pagedRows(rows).filter((row) => row >= 2000)
    expect(paged).toBeLessThan(2030)
  })

  it('pages when a daily peak does not come', () => {
    const skipped = 9
    const peak = (row: number) => {
      const day = Math.floor(row / ROWS_PER_DAY)
      return row % ROWS_PER_DAY >= 120 && row % ROWS_PER_DAY < 200 && day !== skipped ? 60 : 20
    }
    const rows = noisy(11 * ROWS_PER_DAY, peak)
    const inPeak = pagedRows(rows).filter(
      (row) => row >= skipped * ROWS_PER_DAY + 120 && row < skipped * ROWS_PER_DAY + 200,
    )
    expect(inPeak.length).toBeGreaterThan(0)
  })

  it.each([
    [Number.NaN, 1],
    [1, Number.NaN],
    [1, Infinity],
  ])('refuses a row (%d, %d)', (timestampSeconds, value) => {
    expect(() => createSeriesScorer().score(timestampSeconds, value)).toThrow(RangeError)
  })
})

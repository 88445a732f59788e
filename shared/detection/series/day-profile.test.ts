import { describe, expect, it } from 'vitest'
import { createDayProfile, deviationFromDays } from './day-profile.ts'

const STEP_SECONDS = 600
const ROWS_PER_DAY = 144

function answers(days: number, valueOf: (row: number) => number) {
  const profile = createDayProfile()
  return Array.from({ length: days * ROWS_PER_DAY }, (_, row) =>
    deviationFromDays(profile, row * STEP_SECONDS, valueOf(row)),
  )
}

const dailyWave = (row: number) => 10 * Math.sin((row / ROWS_PER_DAY) * 2 * Math.PI)
const restless = (row: number) => (Math.imul(row + 1, 2654435761) >>> 8) % 1000

describe('deviationFromDays', () => {
  it('knows nothing before two days, and then what these had at the same time', () => {
    const found = answers(3, (row) => dailyWave(row) + (row === 2.5 * ROWS_PER_DAY ? 7 : 0))
    expect(found.slice(0, 2 * ROWS_PER_DAY - 1).every((answer) => answer === undefined)).toBe(true)
    expect(found[2.25 * ROWS_PER_DAY]?.deviation).toBeCloseTo(0, 9)
    expect(found[2.5 * ROWS_PER_DAY]?.deviation).toBeCloseTo(7, 9)
  })

  it('believes in days after a trial, where they foretell the series', () => {
    const found = answers(6, dailyWave)
    expect(found[2 * ROWS_PER_DAY + 20]?.isPeriodic).toBe(false)
    expect(found.slice(3 * ROWS_PER_DAY).every((answer) => answer?.isPeriodic === true)).toBe(true)
  })

  it('does not believe in days where they foretell nothing', () => {
    expect(answers(10, restless).some((answer) => answer?.isPeriodic === true)).toBe(false)
  })

  it('sees an odd day against the middle of the others, not against the latest', () => {
    const found = answers(6, (row) => (Math.floor(row / ROWS_PER_DAY) === 4 ? 500 : 20))
    expect(found[4.5 * ROWS_PER_DAY]?.deviation).toBe(480)
    expect(found[5.5 * ROWS_PER_DAY]?.deviation).toBe(0)
  })
})

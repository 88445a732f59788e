import { describe, expect, it } from 'vitest'
import { FIRST_MONDAY, honestHabits, type VolumeHabit } from '../../../test/support/volume-habits.ts'
import { runHabit } from '../../../test/support/volume-run.ts'
import { createVolume } from './volume-watch.ts'

const DAY = 1440
const WEEKS = 8
const SEEDS = [5, 102, 199]
/** Evidence of so many points is worth a look; five page. */
const NOTABLE_POINTS = 3

/** Days (since the first) with notable evidence, however familiar the sender. */
function notableDays(habit: VolumeHabit, start: number): number[] {
  const state = createVolume()
  const days = new Set<number>()
  const sink = {
    wants: (_signal: string, points: number) => {
      if (points >= NOTABLE_POINTS) days.add(Math.floor((state.headMinute - start) / DAY))
      return false
    },
    report: () => undefined,
  }
  runHabit(state, habit, { fromMinute: start, toMinute: start + WEEKS * 7 * DAY, sink })
  return [...days]
}

describe('two months of honest mail', () => {
  // The first burst of a new key cannot be told from misuse by its volume; everything after it can.
  const firstBursts = ['nightlyBatch', 'weeklyNewsletter', 'monthlyStatement', 'mixed']

  it.each(Object.entries(honestHabits))('of %s is worth no look', (name, make) => {
    for (const [index, seed] of SEEDS.entries()) {
      const days = notableDays(make(seed), FIRST_MONDAY + index * 3 * DAY)
      expect(days.length).toBeLessThanOrEqual(firstBursts.includes(name) || name === 'testKey' ? 1 : 0)
    }
  })
})

import { addValue, createSortedWindow, quantile } from '../statistics/sorted-window.ts'
import { createDayProfile, deviationFromDays } from './day-profile.ts'
import { MEMORY_ROWS, createRarity, rarityOf } from './rarity.ts'

/** A row with this score or a higher one is where the engine itself would page. */
export const SERIES_PAGING_SCORE = 0.5

/**
 * The engine pages where all evidence together is as rare as one row in ten times the rows it remembers. Measured
 * against the rows remembered, because whoever watches a series twice as long sees twice as many rare rows.
 */
const PAGING_POINTS = 1

/** A single value is compared with the median of so many rows before it. */
const LOCAL_ROWS = 100
/** A level is the mean of so many rows, compared with the median of the rows before them. */
const LEVEL_ROWS = 15
const LEVEL_BEFORE_ROWS = 400
/** The spread is the mean step between neighbours over so many rows. */
const SPREAD_ROWS = 30
/** No page before so many rows: a series that has only begun has no habits. */
const LEARNING_ROWS = 100
/**
 * After a page the rows that follow belong to the same incident, until what happened is what the local median is
 * made of. Their scores are halved, which keeps them below the paging score.
 */
const INCIDENT_ROWS = LOCAL_ROWS
/** Differences below this share of a series' own size are rounding. */
const RESOLUTION = 1e-9
const RESOLUTION_MIN = 1e-300
/** Values are cut to this, so that sums and differences of them stay finite. */
const VALUE_MAX = 1e300

export type SeriesScorer = {
  /**
   * The anomaly score of the next row, 0 to 1, from this row and those before it. Timestamps may be irregular and
   * may even go back. Throws RangeError for a timestamp or a value that is not finite.
   */
  readonly score: (timestampSeconds: number, value: number) => number
}

/**
 * Scores the rows of one numeric series of any unit, sign and sampling step.
 *
 * Four measures of each row: how far the value is from the local level; how far a short mean is from the level
 * before it; how large the steps between neighbours are; and, once the series has shown that it goes by days, how
 * far the value is from earlier days at this time. Each becomes points (−log10 of how often it is reached, see
 * rarity.ts). Their Euclidean sum lets weak evidence of several kinds add up, but by less than its plain sum, which
 * would hold for independent measures only.
 */
export function createSeriesScorer(): SeriesScorer {
  const measures = createMeasures()
  let rows = 0
  let pagedRow = -Infinity
  const score = (timestampSeconds: number, value: number): number => {
    if (!Number.isFinite(timestampSeconds) || !Number.isFinite(value)) {
      throw new RangeError('a row of a series has a finite timestamp and a finite value')
    }
    const points = measures.pointsOf(timestampSeconds, Math.min(VALUE_MAX, Math.max(-VALUE_MAX, value)))
    rows += 1
    if (rows <= LEARNING_ROWS) return 0
    const surplus = points - Math.log10(Math.min(rows, MEMORY_ROWS))
    const plain = 1 / (1 + 10 ** (PAGING_POINTS - surplus))
    if (rows - pagedRow < INCIDENT_ROWS) return plain / 2
    if (plain >= SERIES_PAGING_SCORE) pagedRow = rows
    return plain
  }
  return { score }
}

function createMeasures() {
  const local = createSortedWindow(LOCAL_ROWS)
  const before = createSortedWindow(LEVEL_BEFORE_ROWS)
  const days = createDayProfile()
  const rarities = {
    value: createRarity(),
    level: createRarity(),
    spread: createRarity(),
    day: createRarity(),
  }
  const levelValues: number[] = []
  const steps: number[] = []
  let previous: number | undefined

  const pointsOf = (timestampSeconds: number, value: number): number => {
    const resolution = Math.max(RESOLUTION_MIN, RESOLUTION * Math.abs(quantile(before, 0.5)))
    const day = deviationFromDays(days, timestampSeconds, value)
    const dayPoints = day === undefined ? 0 : rarityOf(rarities.day, day.deviation, resolution)
    const valuePoints =
      local.size === 0 ? 0 : rarityOf(rarities.value, value - quantile(local, 0.5), resolution)
    addValue(local, value)

    levelValues.push(value)
    if (levelValues.length > LEVEL_ROWS) addValue(before, levelValues.shift() ?? value)
    const levelPoints =
      before.size < LEVEL_ROWS
        ? 0
        : rarityOf(rarities.level, meanOf(levelValues) - quantile(before, 0.5), resolution)

    if (previous !== undefined) steps.push(Math.abs(value - previous))
    previous = value
    if (steps.length > SPREAD_ROWS) steps.shift()
    const spreadPoints = steps.length < SPREAD_ROWS ? 0 : rarityOf(rarities.spread, meanOf(steps), resolution)

    if (day?.isPeriodic !== true) return Math.hypot(valuePoints, levelPoints, spreadPoints)
    // What the days foretell is no news: the nightly job leaves the local level every night.
    return Math.hypot(Math.min(valuePoints, dayPoints), levelPoints, spreadPoints, dayPoints)
  }
  return { pointsOf }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

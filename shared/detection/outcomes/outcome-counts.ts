/**
 * What became of the messages of one key, in counts: twenty-minute and two-hour cells for what happens now, days for
 * what the key usually does. About 1 KiB.
 */

/** Columns of every count. The first two are denominators, the rest are kinds of failure or complaint. */
export const PROCESSED = 0
export const DELIVERED = 1
export const INVALID = 2
export const REFUSED = 3
export const TECHNICAL = 4
export const DROPPED = 5
export const DEFERRED = 6
export const SPAM_REPORT = 7
export const UNSUBSCRIBE = 8
export const COLUMNS = 9

/** Kinds of failure start at this column. */
export const FIRST_KIND = INVALID
export const KINDS = COLUMNS - FIRST_KIND

const MINUTES_PER_DAY = 1440
/** Lengths of the cells of the two fine levels, minutes; four cells of each are kept. */
export const cellMinutes = [20, 120] as const
export const CELLS = 4
/** A cell is its slot (start divided by length) and its columns. */
const STRIDE = COLUMNS + 1

/** A day trains once it is over; for so many days its counts are kept apart, because reports come late. */
export const DAYS_APART = 4
/** A day that was taken out of training is kept for so long, in case its alarm turns out to be false. */
const HELD_DAYS_MAX = 10
/** A past day counts half after this many days with traffic. */
const HALF_LIFE_DAYS = 20
const DECAY = 0.5 ** (1 / HALF_LIFE_DAYS)

/** What becomes of a day: it trains, it is kept out, or its counts are part of the past already. */
export type DayUse = 'trains' | 'held' | 'folded'

export type OutcomeDay = {
  /** Days since the epoch, UTC. */
  readonly day: number
  use: DayUse
  /** The columns, then pairs of messages and pairs of each kind within the same two hours. */
  readonly values: number[]
}

/** Where the pairs are in a day's values. */
const PAIRS = COLUMNS
const PAIRS_OF_KINDS = COLUMNS + 1
const DAY_VALUES = COLUMNS + 1 + KINDS

/** Sums over the days that have trained, older days counting less: see `totalsOf`. */
export const TOTAL_DAYS = DAY_VALUES
const TOTALS = DAY_VALUES + 1

export type OutcomeCounts = {
  /** Latest minute of an event or of the clock; −1 before the first. */
  head: number
  readonly cells: Uint32Array
  days: OutcomeDay[]
  totals: number[]
}

export function createOutcomeCounts(): OutcomeCounts {
  return {
    head: -1,
    cells: new Uint32Array(cellMinutes.length * CELLS * STRIDE),
    days: [],
    totals: Array.from({ length: TOTALS }, () => 0),
  }
}

export function dayOfMinute(minute: number): number {
  return Math.floor(minute / MINUTES_PER_DAY)
}

/** Counts one event into the cells and the day of its own minute, however late it comes. */
export function addOutcome(counts: OutcomeCounts, minute: number, column: number): void {
  if (minute > counts.head) moveCounts(counts, minute)
  for (let level = 0; level < cellMinutes.length; level += 1) {
    const slot = slotOf(minute, level)
    const at = cellAt(slot, level)
    if (counts.cells[at] !== slot) {
      if (slot <= slotOf(counts.head, level) - CELLS) continue
      counts.cells[at] = slot
    }
    counts.cells[at + 1 + column] = (counts.cells[at + 1 + column] ?? 0) + 1
  }
  const { values } = dayFor(counts, dayOfMinute(minute)) ?? {}
  if (values !== undefined) values[column] = (values[column] ?? 0) + 1
}

/** Moves the clock on: empties the cells that are over and lets the days that are over train. */
export function moveCounts(counts: OutcomeCounts, minute: number): void {
  const before = counts.head
  if (minute <= before) return
  counts.head = minute
  if (before === -1 || slotOf(before, 0) === slotOf(minute, 0)) return
  for (let level = 0; level < cellMinutes.length; level += 1) {
    for (let cell = 0; cell < CELLS; cell += 1) clearIfOver(counts, level, cell)
  }
  if (dayOfMinute(before) !== dayOfMinute(minute)) foldDays(counts)
}

function clearIfOver(counts: OutcomeCounts, level: number, cell: number): void {
  const at = (level * CELLS + cell) * STRIDE
  const slot = counts.cells[at] ?? 0
  if (slot === 0 || slot > slotOf(counts.head, level) - CELLS) return
  if (level === cellMinutes.length - 1) keepPairs(counts, at, slot)
  counts.cells.fill(0, at, at + STRIDE)
}

/** Pairs within one cell tell how much the rate differs between cells: E[k(k − 1)] = n(n − 1) E[p²]. */
function keepPairs(counts: OutcomeCounts, at: number, slot: number): void {
  const day = dayOfMinute(slot * (cellMinutes[1] ?? 0))
  const values = counts.days.find((known) => known.day === day)?.values
  if (values === undefined) return
  const column = (index: number) => counts.cells[at + 1 + index] ?? 0
  const messages = attemptsOf(column)
  values[PAIRS] = (values[PAIRS] ?? 0) + messages * (messages - 1)
  for (let kind = 0; kind < KINDS; kind += 1) {
    const count = column(FIRST_KIND + kind)
    values[PAIRS_OF_KINDS + kind] = (values[PAIRS_OF_KINDS + kind] ?? 0) + count * (count - 1)
  }
}

function slotOf(minute: number, level: number): number {
  return Math.floor(minute / (cellMinutes[level] ?? 1))
}

function cellAt(slot: number, level: number): number {
  return (level * CELLS + (slot % CELLS)) * STRIDE
}

/** The day's counts; undefined when it is too long ago to have any. */
function dayFor(counts: OutcomeCounts, day: number): OutcomeDay | undefined {
  const { days } = counts
  for (let index = days.length - 1; index >= 0; index -= 1) {
    const known = days[index]
    if (known?.day === day) return known
  }
  if (day <= dayOfMinute(counts.head) - DAYS_APART) return undefined
  const made: OutcomeDay = { day, use: 'trains', values: Array.from({ length: DAY_VALUES }, () => 0) }
  days.push(made)
  days.sort((a, b) => a.day - b.day)
  return made
}

function foldDays(counts: OutcomeCounts): void {
  const today = dayOfMinute(counts.head)
  counts.days = counts.days.filter((day) => {
    if (day.day > today - DAYS_APART) return true
    if (day.use === 'trains') fold(counts.totals, day.values)
    return day.use === 'held' && day.day > today - HELD_DAYS_MAX
  })
}

function fold(totals: number[], values: readonly number[]): void {
  if (!hasTraffic(values)) return
  for (let index = 0; index < totals.length; index += 1) totals[index] = (totals[index] ?? 0) * DECAY
  addDay(totals, values)
}

function addDay(totals: number[], values: readonly number[]): void {
  for (let index = 0; index < DAY_VALUES; index += 1)
    totals[index] = (totals[index] ?? 0) + (values[index] ?? 0)
  totals[TOTAL_DAYS] = (totals[TOTAL_DAYS] ?? 0) + 1
}

function hasTraffic(values: readonly number[]): boolean {
  return attemptsOf((index) => values[index] ?? 0) > 0 || (values[DROPPED] ?? 0) > 0
}

/** Takes the days that the minutes touch (both ends included) out of training, or puts them back. */
export function setDaysTrained(
  counts: OutcomeCounts,
  minutes: { readonly startMinute: number; readonly endMinute: number },
  trained: boolean,
): void {
  const first = dayOfMinute(minutes.startMinute)
  const last = Math.min(dayOfMinute(minutes.endMinute), dayOfMinute(counts.head))
  for (let day = Math.max(first, last - HELD_DAYS_MAX); day <= last; day += 1) {
    const known = trained ? counts.days.find((row) => row.day === day) : dayFor(counts, day)
    if (known !== undefined && known.use !== 'folded') known.use = trained ? 'trains' : 'held'
  }
}

/** What is past counts for little when the last days are accepted as the new normal. */
const FORGOTTEN = 0.1

/** Lets the last days train at once, also those that were kept out, and today as far as it has come. */
export function acceptCounts(counts: OutcomeCounts): void {
  const { totals } = counts
  const coarsest = cellMinutes.length - 1
  for (let cell = 0; cell < CELLS; cell += 1) {
    const at = (coarsest * CELLS + cell) * STRIDE
    if (counts.cells[at] !== 0) keepPairs(counts, at, counts.cells[at] ?? 0)
  }
  for (let index = 0; index < totals.length; index += 1) totals[index] = (totals[index] ?? 0) * FORGOTTEN
  for (const day of counts.days) {
    if (day.use === 'folded') continue
    fold(totals, day.values)
    day.use = 'folded'
  }
}

/** Sums over all days that train and are over. The same layout as a day's values, and the number of days. */
export function totalsOf(counts: OutcomeCounts): number[] {
  const sums = [...counts.totals]
  const today = dayOfMinute(counts.head)
  for (const { day, use, values } of counts.days) {
    if (use === 'trains' && day < today && hasTraffic(values)) addDay(sums, values)
  }
  return sums
}

export function pairsOf(totals: readonly number[]): number {
  return totals[PAIRS] ?? 0
}

export function pairsOfKind(totals: readonly number[], column: number): number {
  return totals[PAIRS_OF_KINDS + column - FIRST_KIND] ?? 0
}

/** Columns summed over the latest `length` cells of a level (0, 1) or days (2), leaving out what started earlier. */
export function recentSums(
  counts: OutcomeCounts,
  level: 0 | 1 | 2,
  { length, fromMinute }: { readonly length: number; readonly fromMinute: number },
): number[] {
  const sums = Array.from({ length: COLUMNS }, () => 0)
  if (level === 2) {
    const first = Math.max(dayOfMinute(counts.head) - length + 1, Math.ceil(fromMinute / MINUTES_PER_DAY))
    for (const { day, values } of counts.days) {
      if (day >= first) for (let index = 0; index < COLUMNS; index += 1) add(sums, index, values[index])
    }
    return sums
  }
  const head = slotOf(counts.head, level)
  const first = Math.max(1, head - length + 1, Math.ceil(fromMinute / (cellMinutes[level] ?? 1)))
  for (let slot = first; slot <= head; slot += 1) {
    const at = cellAt(slot, level)
    if (counts.cells[at] !== slot) continue
    for (let index = 0; index < COLUMNS; index += 1) add(sums, index, counts.cells[at + 1 + index])
  }
  return sums
}

function add(sums: number[], index: number, value: number | undefined): void {
  sums[index] = (sums[index] ?? 0) + (value ?? 0)
}

/**
 * Messages that were tried: `processed`, or where a source has that switched off, what became of them.
 */
export function attemptsOf(column: (index: number) => number): number {
  return Math.max(column(PROCESSED), column(DELIVERED) + bouncesOf(column))
}

export function bouncesOf(column: (index: number) => number): number {
  return column(INVALID) + column(REFUSED) + column(TECHNICAL)
}

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
export const FIRST_KIND = 2
export const KINDS = COLUMNS - FIRST_KIND

const MINUTES_PER_DAY = 1440
/** Lengths of the cells of the two fine levels, minutes; four cells of each are kept. */
export const cellMinutes = [20, 120] as const
export const CELLS = 4
/** A cell is its slot (start divided by length) and its columns. */
const STRIDE = COLUMNS + 1

/** A day trains once it is over; for so many days its counts are kept apart, because reports come late. */
const DAYS_APART = 4
/** A day that was taken out of training is kept for so long, in case its alarm turns out to be false. */
export const HELD_DAYS_MAX = 10
/** A past day counts half after this many days with traffic. */
const HALF_LIFE_DAYS = 20
const DECAY = 0.5 ** (1 / HALF_LIFE_DAYS)

/** What becomes of a day: it trains, it is kept out, or its counts are part of the past already. */
const TRAINS = 0
const HELD = 1
const FOLDED = 2

/** A day's values: the columns, then pairs of messages and pairs of each kind within the same two hours. */
const PAIRS = COLUMNS
const PAIRS_OF_KINDS = COLUMNS + 1
const DAY_VALUES = COLUMNS + 1 + KINDS
/** A day's row: days since the epoch (UTC), its use, its values. */
const USE = 1
const VALUES = 2
export const DAY_STRIDE = VALUES + DAY_VALUES

/** Sums over the days that have trained, older days counting less: see `totalsOf`. */
export const TOTAL_DAYS = DAY_VALUES
const TOTALS = DAY_VALUES + 1

/**
 * What became of the messages of one key, in counts: twenty-minute and two-hour cells for what happens now, days for
 * what the key usually does. About 1 KiB.
 */
export type OutcomeCounts = {
  /** Latest minute of an event or of the clock; −1 before the first. */
  head: number
  readonly cells: Uint32Array
  /** Rows of days in order. Counts are exact up to 16 million a day and kind; beyond, one more is not seen. */
  days: Float32Array
  totals: number[]
}

/** An empty array of its own costs 200 bytes. */
const NO_DAYS = new Float32Array(0)

export function createOutcomeCounts(): OutcomeCounts {
  return {
    head: -1,
    cells: new Uint32Array(cellMinutes.length * CELLS * STRIDE),
    days: NO_DAYS,
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
  const row = rowFor(counts, dayOfMinute(minute))
  if (row >= 0) increase(counts.days, row + VALUES + column, 1)
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
  const row = rowOf(counts.days, dayOfMinute(slot * (cellMinutes[1] ?? 0)))
  if (row < 0) return
  const column = (index: number) => counts.cells[at + 1 + index] ?? 0
  const messages = attemptsOf(column)
  increase(counts.days, row + VALUES + PAIRS, messages * (messages - 1))
  for (let kind = 0; kind < KINDS; kind += 1) {
    const count = column(FIRST_KIND + kind)
    increase(counts.days, row + VALUES + PAIRS_OF_KINDS + kind, count * (count - 1))
  }
}

function slotOf(minute: number, level: number): number {
  return Math.floor(minute / (cellMinutes[level] ?? 1))
}

function cellAt(slot: number, level: number): number {
  return (level * CELLS + (slot % CELLS)) * STRIDE
}

function increase(days: Float32Array, at: number, by: number): void {
  days[at] = (days[at] ?? 0) + by
}

/** Where the day's row starts; −1 without one. */
function rowOf(days: Float32Array, day: number): number {
  for (let row = days.length - DAY_STRIDE; row >= 0; row -= DAY_STRIDE) if (days[row] === day) return row
  return -1
}

/** The same, making the row where there is none; −1 when the day is too long ago to have one. */
function rowFor(counts: OutcomeCounts, day: number): number {
  const known = rowOf(counts.days, day)
  if (known >= 0 || day <= dayOfMinute(counts.head) - DAYS_APART) return known
  let row = counts.days.length
  while (row > 0 && (counts.days[row - DAY_STRIDE] ?? 0) > day) row -= DAY_STRIDE
  const grown = new Float32Array(counts.days.length + DAY_STRIDE)
  grown.set(counts.days.subarray(0, row))
  grown[row] = day
  grown.set(counts.days.subarray(row), row + DAY_STRIDE)
  counts.days = grown
  return row
}

/** Lets the days that are old enough become part of the past, and drops those that were kept out for long. */
function foldDays(counts: OutcomeCounts): void {
  const today = dayOfMinute(counts.head)
  const kept: number[] = []
  for (let row = 0; row < counts.days.length; row += DAY_STRIDE) {
    const day = counts.days[row] ?? 0
    const use = counts.days[row + USE]
    const isApart = day > today - DAYS_APART
    if (!isApart && use === TRAINS) fold(counts.totals, counts.days, row)
    if (isApart || (use === HELD && day > today - HELD_DAYS_MAX)) kept.push(row)
  }
  if (kept.length * DAY_STRIDE === counts.days.length) return
  const left = new Float32Array(kept.length * DAY_STRIDE)
  for (const [index, row] of kept.entries())
    left.set(counts.days.subarray(row, row + DAY_STRIDE), index * DAY_STRIDE)
  counts.days = left
}

function fold(totals: number[], days: Float32Array, row: number): void {
  if (!hasTraffic(days, row)) return
  for (let index = 0; index < totals.length; index += 1) totals[index] = (totals[index] ?? 0) * DECAY
  addDay(totals, days, row)
}

function addDay(totals: number[], days: Float32Array, row: number): void {
  for (let index = 0; index < DAY_VALUES; index += 1) add(totals, index, days[row + VALUES + index])
  add(totals, TOTAL_DAYS, 1)
}

function hasTraffic(days: Float32Array, row: number): boolean {
  const column = (index: number) => days[row + VALUES + index] ?? 0
  return attemptsOf(column) > 0 || column(DROPPED) > 0
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
    const row = trained ? rowOf(counts.days, day) : rowFor(counts, day)
    if (row >= 0 && counts.days[row + USE] !== FOLDED) counts.days[row + USE] = trained ? TRAINS : HELD
  }
}

/** Whether the day was taken out of training. */
export function isHeldDay({ days }: OutcomeCounts, day: number): boolean {
  const row = rowOf(days, day)
  return row >= 0 && days[row + USE] === HELD
}

/** What is past counts for little when the last days are accepted as the new normal. */
const FORGOTTEN = 0.1

/** Lets the last days train at once, also those that were kept out, and today as far as it has come. */
export function acceptCounts(counts: OutcomeCounts): void {
  const { totals, days } = counts
  const coarsest = cellMinutes.length - 1
  for (let cell = 0; cell < CELLS; cell += 1) {
    const at = (coarsest * CELLS + cell) * STRIDE
    if (counts.cells[at] !== 0) keepPairs(counts, at, counts.cells[at] ?? 0)
  }
  for (let index = 0; index < totals.length; index += 1) totals[index] = (totals[index] ?? 0) * FORGOTTEN
  for (let row = 0; row < days.length; row += DAY_STRIDE) {
    if (days[row + USE] === FOLDED) continue
    fold(totals, days, row)
    days[row + USE] = FOLDED
  }
}

/** Sums over all days that train and are over. The same layout as a day's values, and the number of days. */
export function totalsOf({ totals, days, head }: OutcomeCounts): number[] {
  const sums = [...totals]
  const today = dayOfMinute(head)
  for (let row = 0; row < days.length; row += DAY_STRIDE) {
    if (days[row + USE] === TRAINS && (days[row] ?? 0) < today && hasTraffic(days, row))
      addDay(sums, days, row)
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
    for (let row = 0; row < counts.days.length; row += DAY_STRIDE) {
      if ((counts.days[row] ?? 0) < first) continue
      for (let index = 0; index < COLUMNS; index += 1) add(sums, index, counts.days[row + VALUES + index])
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

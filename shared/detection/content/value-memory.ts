import { sharedText } from '../shared-text.ts'

/** One value of a field, and how a key has used it. */
export type ValueRecord = {
  readonly value: string
  /** Messages and days with it that have been learnt; none for a value that is new today. */
  count: number
  days: number
  lastDay: number
  /** Messages of the present day: learnt when the day is over, unless something was wrong with it. */
  today: number
}

/** The values of one field of a key's messages, and how often it makes new ones. */
export type ValueMemory = {
  /** The value used last stands first: most messages find theirs at once. */
  records: ValueRecord[]
  /** Days on which a value was new, after the first day. */
  newDays: number
}

/** More values than this at a time are no set of values: the oldest give way. */
const RECORDS_MAX = 24
/** A value that was not used for so long is new again. */
const FORGET_DAYS = 60
/** Added to the days with a new value and to all days: a key that has shown few days cannot be surprised much. */
const NEW_PRIOR = 0.3
const DAYS_PRIOR = 3
/** A value used on at least this share of the days is an everyday one. */
const EVERYDAY_SHARE = 0.1

export function createValueMemory(): ValueMemory {
  return { records: [], newDays: 0 }
}

/** Counts one message and answers its value's record. */
export function countValue(memory: ValueMemory, value: string): ValueRecord {
  const { records } = memory
  const first = records[0]
  if (first?.value === value) {
    first.today += 1
    return first
  }
  const at = records.findIndex((record) => record.value === value)
  return at === -1 ? addRecord(memory, value) : moveToFront(records, at)
}

/** Arrays without room to spare: most fields have one value for years, and an array that grows takes 17 places. */
function addRecord(memory: ValueMemory, value: string): ValueRecord {
  const record = { value: sharedText(value), count: 0, days: 0, lastDay: -1, today: 1 }
  const { records } = memory
  if (records.length >= RECORDS_MAX) records.splice(indexOfOldest(records), 1)
  memory.records = [record, ...records]
  return record
}

function moveToFront(records: ValueRecord[], at: number): ValueRecord {
  const record = records[at]
  if (record === undefined) throw new Error('a found value has a record')
  records.copyWithin(1, 0, at)
  records[0] = record
  record.today += 1
  return record
}

function indexOfOldest(records: readonly ValueRecord[]): number {
  let oldest = 0
  for (const [index, { lastDay, count }] of records.entries()) {
    const known = records[oldest]
    if (
      known === undefined ||
      lastDay < known.lastDay ||
      (lastDay === known.lastDay && count < known.count)
    ) {
      oldest = index
    }
  }
  return oldest
}

/** So many messages, or days, make a value one of the key's own: a thief's test mail of yesterday does not. */
const OWN_MESSAGES = 10
const OWN_DAYS = 3

export function isEstablished({ count, days }: Pick<ValueRecord, 'count' | 'days'>): boolean {
  return count >= OWN_MESSAGES || days >= OWN_DAYS
}

/**
 * How surprising it is to meet this value today: −log10 of the chance that a day of this key brings a new one
 * (Beta-smoothed), or that a day has this rare one. A key that makes a template a day is not surprised by another.
 */
export function pointsOf(
  memory: ValueMemory,
  record: Pick<ValueRecord, 'count' | 'days'>,
  given: { readonly activeDays: number; readonly messages: number },
): number {
  const days = given.activeDays + DAYS_PRIOR
  if (isEstablished(record)) {
    if (record.days >= EVERYDAY_SHARE * given.activeDays) return 0
    return Math.max(0, -Math.log10((record.days + NEW_PRIOR) / days) - NEW_PRIOR)
  }
  const perDay = (memory.newDays + NEW_PRIOR) / days
  const perMessage = (memory.newDays + NEW_PRIOR) / (given.messages + 1)
  return -Math.log10(Math.min(1, Math.max(perDay, perMessage)))
}

/** The first time that a few messages bring a new value is an accident, or a test mail, and no habit yet. */
const FIRST_ONE_OFF = 0.1

/** Ends a day: what it showed is learnt, or forgotten where the day is not to be trusted. */
export function endDay(
  memory: ValueMemory,
  { day, learn, first }: { readonly day: number; readonly learn: boolean; readonly first: boolean },
): void {
  let isNew = false
  let isOneOff = true
  for (const record of memory.records) {
    if (record.today > 0 && learn) {
      const wasNew = record.count === 0
      record.count += record.today
      record.days += 1
      record.lastDay = day
      isNew ||= wasNew
      if (wasNew && isEstablished(record)) isOneOff = false
    }
    record.today = 0
  }
  if (isNew && !first) memory.newDays += isOneOff && memory.newDays < FIRST_ONE_OFF ? FIRST_ONE_OFF : 1
  const kept = memory.records.filter(({ count, lastDay }) => count > 0 && lastDay >= day - FORGET_DAYS)
  if (kept.length < memory.records.length) memory.records = kept
}

/** Lets the days count for three quarters, so that a key may change its habits within some months. */
export function ageMemory(memory: ValueMemory): void {
  for (const record of memory.records) record.days = Math.ceil(record.days * 0.75)
  memory.newDays *= 0.75
}

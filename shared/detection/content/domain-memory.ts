import { cutText } from '#shared/domain/normalise-text.ts'
import { sharedText } from '../shared-text.ts'

/** The recipient domains that a key mails most, and how many of its messages go to others. */
export type DomainMemory = {
  /** Learnt messages of each place; the first `size` are in use, here and in what follows. */
  counts: Float32Array
  /**
   * Three numbers of each place, first all hashes of domains, then the messages of today, then those since the present
   * suspicion began. In one piece of memory, because each piece costs 200 bytes more.
   */
  numbers: Uint32Array
  names: string[]
  size: number
  /** The same for the domains that have no place of their own. */
  otherCount: number
  otherToday: number
  otherWindow: number
  /** Of the other messages learnt and of today: to a domain this key never mailed before, among those that were looked up. */
  unseenCount: number
  unseenToday: number
  unseenWindow: number
  total: number
}

const DOMAINS_MAX = 40
/** A domain is told by its hash; so much of its name is kept for people. */
const NAME_MAX = 64
const FIRST_LENGTH = 4
/** The class of a domain without a place of its own: mailed before, or never. */
export const OTHER = -1
export const UNSEEN = -2

const NO_COUNTS = new Float32Array(0)
const NO_NUMBERS = new Uint32Array(0)

export function createDomainMemory(): DomainMemory {
  return {
    counts: NO_COUNTS,
    numbers: NO_NUMBERS,
    names: [],
    size: 0,
    otherCount: 0,
    otherToday: 0,
    otherWindow: 0,
    unseenCount: 0,
    unseenToday: 0,
    unseenWindow: 0,
    total: 0,
  }
}

/** The place of a domain, `OTHER` where it has none. */
export function placeOfDomain({ numbers, size }: DomainMemory, hash: number): number {
  for (let place = 0; place < size; place += 1) if (numbers[place] === hash) return place
  return OTHER
}

/** Learnt messages of a place. */
export function learntOf({ counts }: DomainMemory, place: number): number {
  return counts[place] ?? 0
}

export function todayOf({ counts, numbers }: DomainMemory, place: number): number {
  return numbers[counts.length + place] ?? 0
}

export function setToday({ counts, numbers }: DomainMemory, place: number, messages: number): void {
  numbers[counts.length + place] = messages
}

/** Messages since the present suspicion began. */
export function placeWindowOf({ counts, numbers }: DomainMemory, place: number): number {
  return numbers[2 * counts.length + place] ?? 0
}

export function setWindow({ counts, numbers }: DomainMemory, place: number, messages: number): void {
  numbers[2 * counts.length + place] = messages
}

/** Gives a domain a place while there are free ones; answers its place or `OTHER`. */
export function addDomain(memory: DomainMemory, hash: number, name: string): number {
  const { size } = memory
  if (size >= DOMAINS_MAX) return OTHER
  if (size === memory.counts.length) grow(memory)
  memory.numbers[size] = hash
  memory.counts[size] = 0
  setToday(memory, size, 0)
  setWindow(memory, size, 0)
  memory.names[size] = sharedText(cutText(name, NAME_MAX))
  memory.size = size + 1
  return size
}

function grow(memory: DomainMemory): void {
  const { counts, numbers, size } = memory
  const length = Math.min(DOMAINS_MAX, Math.max(FIRST_LENGTH, size * 2))
  memory.counts = new Float32Array(length)
  memory.counts.set(counts)
  memory.numbers = new Uint32Array(NUMBERS * length)
  for (let section = 0; section < NUMBERS; section += 1) {
    const from = section * counts.length
    memory.numbers.set(numbers.subarray(from, from + counts.length), section * length)
  }
}

/** A hash, messages of today, messages in the window. */
const NUMBERS = 3

/** Messages learnt lose this share of their weight a day: a half-life of five weeks. */
const DAILY_DECAY = 0.98
/** A place is free again when its domain has less weight than this. */
const WEIGHT_MIN = 0.3

/** Ends a day: learns it or forgets it, and makes room for domains that are mailed now. */
export function endDayOfDomains(memory: DomainMemory, learn: boolean): void {
  let kept = 0
  let total = 0
  for (let place = 0; place < memory.size; place += 1) {
    const count = learntOf(memory, place) * DAILY_DECAY + (learn ? todayOf(memory, place) : 0)
    if (count < WEIGHT_MIN) {
      memory.otherCount += count
      continue
    }
    memory.numbers[kept] = memory.numbers[place] ?? 0
    memory.counts[kept] = count
    setToday(memory, kept, 0)
    setWindow(memory, kept, placeWindowOf(memory, place))
    memory.names[kept] = memory.names[place] ?? ''
    total += count
    kept += 1
  }
  memory.names.length = kept
  memory.size = kept
  if (kept === DOMAINS_MAX) total -= makeRoom(memory)
  memory.otherCount = memory.otherCount * DAILY_DECAY + (learn ? memory.otherToday : 0)
  memory.unseenCount = memory.unseenCount * DAILY_DECAY + (learn ? memory.unseenToday : 0)
  memory.otherToday = 0
  memory.unseenToday = 0
  memory.total = total + memory.otherCount + memory.unseenCount
}

/** Places that are given up when all are taken, so that a domain that is mailed often gets one in the end. */
const ROOM = 8

/** The least mailed domains join the others; answers their weight. */
function makeRoom(memory: DomainMemory): number {
  const order = Array.from({ length: memory.size }, (_, place) => place).sort(
    (a, b) => learntOf(memory, b) - learntOf(memory, a) || a - b,
  )
  const { counts, numbers, names } = memory
  const before = { ...memory, counts: counts.slice(), numbers: numbers.slice(), names: [...names] }
  const kept = order.slice(0, memory.size - ROOM)
  const given = order.slice(memory.size - ROOM).reduce((sum, place) => sum + learntOf(before, place), 0)
  for (const [place, from] of kept.entries()) {
    numbers[place] = before.numbers[from] ?? 0
    counts[place] = learntOf(before, from)
    setWindow(memory, place, placeWindowOf(before, from))
    names[place] = before.names[from] ?? ''
  }
  names.length = kept.length
  memory.size = kept.length
  memory.otherCount += given
  return given
}

export function clearWindow(memory: DomainMemory): void {
  memory.numbers.fill(0, 2 * memory.counts.length)
  memory.otherWindow = 0
  memory.unseenWindow = 0
}

import { sharedText } from '../shared-text.ts'

/** The recipient domains that a key mails most, and how many of its messages go to others. */
export type DomainMemory = {
  /** Parallel arrays; the first `size` are in use. Hashes of the domains, learnt messages, messages of today. */
  hashes: Uint32Array
  counts: Float32Array
  today: Uint32Array
  /** Messages since the present suspicion began. */
  window: Uint16Array
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
const FIRST_LENGTH = 4
/** The class of a domain without a place of its own: mailed before, or never. */
export const OTHER = -1
export const UNSEEN = -2

export function createDomainMemory(): DomainMemory {
  return {
    hashes: new Uint32Array(0),
    counts: new Float32Array(0),
    today: new Uint32Array(0),
    window: new Uint16Array(0),
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
export function placeOfDomain({ hashes, size }: DomainMemory, hash: number): number {
  for (let place = 0; place < size; place += 1) if (hashes[place] === hash) return place
  return OTHER
}

/** Gives a domain a place while there are free ones; answers its place or `OTHER`. */
export function addDomain(memory: DomainMemory, hash: number, name: string): number {
  const { size } = memory
  if (size >= DOMAINS_MAX) return OTHER
  if (size === memory.hashes.length) grow(memory)
  memory.hashes[size] = hash
  memory.counts[size] = 0
  memory.today[size] = 0
  memory.window[size] = 0
  memory.names[size] = sharedText(name)
  memory.size = size + 1
  return size
}

function grow(memory: DomainMemory): void {
  const length = Math.min(DOMAINS_MAX, Math.max(FIRST_LENGTH, memory.size * 2))
  const longer = <Numbers extends Uint32Array | Float32Array | Uint16Array>(made: Numbers, from: Numbers) => {
    made.set(from)
    return made
  }
  memory.hashes = longer(new Uint32Array(length), memory.hashes)
  memory.counts = longer(new Float32Array(length), memory.counts)
  memory.today = longer(new Uint32Array(length), memory.today)
  memory.window = longer(new Uint16Array(length), memory.window)
}

/** Messages learnt lose this share of their weight a day: a half-life of five weeks. */
const DAILY_DECAY = 0.98
/** A place is free again when its domain has less weight than this. */
const WEIGHT_MIN = 0.3

/** Ends a day: learns it or forgets it, and makes room for domains that are mailed now. */
export function endDayOfDomains(memory: DomainMemory, learn: boolean): void {
  let kept = 0
  let total = 0
  for (let place = 0; place < memory.size; place += 1) {
    const count = (memory.counts[place] ?? 0) * DAILY_DECAY + (learn ? (memory.today[place] ?? 0) : 0)
    if (count < WEIGHT_MIN) {
      memory.otherCount += count
      continue
    }
    memory.hashes[kept] = memory.hashes[place] ?? 0
    memory.counts[kept] = count
    memory.today[kept] = 0
    memory.window[kept] = memory.window[place] ?? 0
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
    (a, b) => (memory.counts[b] ?? 0) - (memory.counts[a] ?? 0) || a - b,
  )
  const { hashes, counts, window, names } = memory
  const before = { hashes: hashes.slice(), counts: counts.slice(), window: window.slice(), names: [...names] }
  const kept = order.slice(0, memory.size - ROOM)
  const given = order.slice(memory.size - ROOM).reduce((sum, place) => sum + (before.counts[place] ?? 0), 0)
  for (const [place, from] of kept.entries()) {
    hashes[place] = before.hashes[from] ?? 0
    counts[place] = before.counts[from] ?? 0
    window[place] = before.window[from] ?? 0
    names[place] = before.names[from] ?? ''
  }
  names.length = kept.length
  memory.size = kept.length
  memory.otherCount += given
  return given
}

export function clearWindow(memory: DomainMemory): void {
  memory.window.fill(0)
  memory.otherWindow = 0
  memory.unseenWindow = 0
}

/** The latest failures and complaints of one key: who, when and at which domain. At most about 400 bytes. */
export type RecentFailures = {
  /** Three numbers each: recipient, minute, and kind with the domain's hash; oldest overwritten first. */
  entries: Uint32Array
  /** Entries ever written. */
  written: number
}

const STRIDE = 3
const ENTRIES_FIRST = 4
export const ENTRIES_MAX = 24
/** The same recipient failing in the same way again within a day is one failure: a program that keeps trying. */
const REPEAT_MINUTES = 1440
const DOMAIN_BITS = 0xff_ffff

/** An empty array of its own costs 200 bytes. */
const NO_ENTRIES = new Uint32Array(0)

export function createRecentFailures(): RecentFailures {
  return { entries: NO_ENTRIES, written: 0 }
}

export type Failure = {
  readonly kind: number
  readonly minute: number
  /** 32 bits; 0 where it is not known. */
  readonly recipient: number
  readonly domainHash: number
}

/** Whether the recipient has failed in this way within a day. */
export function isRepeat({ entries, written }: RecentFailures, failure: Failure): boolean {
  if (failure.recipient === 0) return false
  const kept = Math.min(written, entries.length / STRIDE)
  for (let index = 0; index < kept; index += 1) {
    const at = index * STRIDE
    if (entries[at] !== failure.recipient || (entries[at + 2] ?? 0) >>> 24 !== failure.kind) continue
    if (Math.abs((entries[at + 1] ?? 0) - failure.minute) < REPEAT_MINUTES) return true
  }
  return false
}

export function keepFailure(failures: RecentFailures, failure: Failure): void {
  const room = failures.entries.length / STRIDE
  if (failures.written >= room && room < ENTRIES_MAX) {
    const grown = new Uint32Array(Math.min(ENTRIES_MAX, Math.max(ENTRIES_FIRST, room * 2)) * STRIDE)
    grown.set(failures.entries)
    failures.entries = grown
  }
  const at = (failures.written % (failures.entries.length / STRIDE)) * STRIDE
  failures.entries[at] = failure.recipient
  failures.entries[at + 1] = failure.minute
  failures.entries[at + 2] = ((failure.kind << 24) | (failure.domainHash & DOMAIN_BITS)) >>> 0
  failures.written += 1
}

/** The failures of one kind since a minute: how many, the first one's minute, and the largest share of one domain. */
export function failuresSince(
  { entries, written }: RecentFailures,
  kind: number,
  minute: number,
): {
  readonly count: number
  readonly firstMinute: number
  readonly domainShare: number
  readonly domains: number
} {
  const kept = Math.min(written, entries.length / STRIDE)
  const byDomain = new Map<number, number>()
  let count = 0
  let firstMinute = Infinity
  for (let index = 0; index < kept; index += 1) {
    const at = index * STRIDE
    const tag = entries[at + 2] ?? 0
    const when = entries[at + 1] ?? 0
    if (tag >>> 24 !== kind || when < minute) continue
    count += 1
    firstMinute = Math.min(firstMinute, when)
    const domain = tag & DOMAIN_BITS
    byDomain.set(domain, (byDomain.get(domain) ?? 0) + 1)
  }
  const domainShare = count === 0 ? 0 : Math.max(...byDomain.values()) / count
  return { count, firstMinute, domainShare, domains: byDomain.size }
}

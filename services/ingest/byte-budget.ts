/** One request's share of the budget. */
export type ByteLease = {
  /** Raises the share to `bytes` in all; false, and no change, where the budget does not allow it. */
  readonly reserve: (bytes: number) => boolean
  /**
   * Until `hold` is called, the share may be taken back for another request once it is a second old; `giveUp` is
   * called then.
   */
  readonly whileArriving: (giveUp: () => void) => void
  /** The body is complete: the share stays until it is released. */
  readonly hold: () => void
  /** Lets `release` wait until this has resolved. */
  readonly keepUntil: (settled: Promise<void>) => void
  /** Gives the whole share back; calling it twice is harmless. */
  readonly release: () => void
}

export type ByteBudget = { readonly lease: () => ByteLease; readonly usedBytes: () => number }

/** SendGrid's bodies arrive in a fraction of this; a body that takes longer yields to others where room is short. */
const YIELDS_AFTER_MS = 1000

type Arriving = { readonly sinceMs: number; readonly bytes: () => number; readonly takeBack: () => void }

/**
 * Bounds the bytes of all request bodies that are in memory at a time, as they arrive and until the event log has
 * them. Beyond it requests are refused, and SendGrid delivers again.
 *
 * Nothing is known about a sender before its body is complete and the signature checked, so announced bytes count
 * for nothing, and where room is short the bodies that have been arriving for longest give way. A stranger who opens
 * connections and sends slowly, or not at all, can therefore keep nobody out.
 */
export function createByteBudget(
  limitBytes: number,
  nowMs: () => number = () => performance.now(),
): ByteBudget {
  let usedBytes = 0
  /** In the order in which they began. */
  const arriving = new Set<Arriving>()

  const lease = (): ByteLease => {
    let reservedBytes = 0
    let released = false
    let settled: Promise<void> | undefined
    let own: Arriving | undefined
    const giveBack = () => {
      usedBytes -= reservedBytes
      reservedBytes = 0
    }
    const hold = () => {
      if (own !== undefined) arriving.delete(own)
    }
    return {
      hold,
      reserve(bytes) {
        const more = bytes - reservedBytes
        if (more <= 0) return true
        if (released) return false
        const missing = usedBytes + more - limitBytes
        if (missing > 0)
          for (const other of yielding(arriving, { missing, own, nowMs: nowMs() })) other.takeBack()
        if (usedBytes + more > limitBytes) return false
        usedBytes += more
        reservedBytes = bytes
        return true
      },
      whileArriving(giveUp) {
        const takeBack = () => {
          hold()
          giveBack()
          giveUp()
        }
        own = { sinceMs: nowMs(), bytes: () => reservedBytes, takeBack }
        arriving.add(own)
      },
      keepUntil(promise) {
        settled = promise
      },
      release() {
        released = true
        hold()
        if (settled === undefined) giveBack()
        else void settled.then(giveBack)
      },
    }
  }
  return { usedBytes: () => usedBytes, lease }
}

/** The bodies to give way so that `missing` bytes become free; none where they would not suffice. */
function yielding(
  arriving: Iterable<Arriving>,
  given: { readonly missing: number; readonly own: Arriving | undefined; readonly nowMs: number },
): readonly Arriving[] {
  const found: Arriving[] = []
  let freed = 0
  for (const candidate of arriving) {
    if (freed >= given.missing || given.nowMs - candidate.sinceMs < YIELDS_AFTER_MS) break
    if (candidate === given.own) continue
    found.push(candidate)
    freed += candidate.bytes()
  }
  return freed < given.missing ? [] : found
}

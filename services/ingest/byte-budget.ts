/** One request's share of the budget. */
export type ByteLease = {
  /** Raises the share to `bytes` in all; false, and no change, where the budget does not allow it. */
  readonly reserve: (bytes: number) => boolean
  /** Lets `release` wait until this has resolved. */
  readonly keepUntil: (settled: Promise<void>) => void
  /** Gives the whole share back; calling it twice is harmless. */
  readonly release: () => void
}

export type ByteBudget = { readonly lease: () => ByteLease; readonly usedBytes: () => number }

/**
 * Bounds the bytes of all request bodies that are in memory at a time, from the moment they are announced until
 * the event log has them. Beyond it requests are refused, and SendGrid delivers again.
 */
export function createByteBudget(limitBytes: number): ByteBudget {
  let usedBytes = 0
  return {
    usedBytes: () => usedBytes,
    lease() {
      let reservedBytes = 0
      let released = false
      let settled: Promise<void> | undefined
      const giveBack = () => {
        usedBytes -= reservedBytes
        reservedBytes = 0
      }
      return {
        reserve(bytes) {
          const more = bytes - reservedBytes
          if (more <= 0) return true
          if (released || usedBytes + more > limitBytes) return false
          usedBytes += more
          reservedBytes = bytes
          return true
        },
        keepUntil(promise) {
          settled = promise
        },
        release() {
          released = true
          if (settled === undefined) giveBack()
          else void settled.then(giveBack)
        },
      }
    },
  }
}

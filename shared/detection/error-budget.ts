import { z } from 'zod'

const DAYS_PER_YEAR = 365
/** Up to so many keys each has the whole budget to itself; beyond, the fleet's total grows with the square root. */
const WHOLE_BUDGET_KEYS = 10
/** Each discovery pays for so many false pages: the share of pages that may be false where attacks are frequent. */
const EARNED = 0.1
/** What a discovery paid in is spent over the days after it, half of it within this many. */
const HALF_LIFE_DAYS = 14
const KEPT_A_DAY = 0.5 ** (1 / HALF_LIFE_DAYS)

export type ErrorBudgetSettings = {
  /** False pages that one key may cause in a year of its own. */
  readonly falsePagesPerKeyYear: number
}

/** How rare a value must be to wake somebody, so that false pages stay within what the operator allows. */
export type ErrorBudget = {
  /**
   * The mean number of days between such values on one key, from which on a value pages; on a day (days since the
   * epoch) with so many live keys. Never below the key's own budget.
   */
  readonly limitDays: (day: number, liveKeys: number) => number
  /** Somebody was paged on this day, and nobody has called it false: the days after may be looked at more closely. */
  readonly discovered: (day: number) => void
  /** What `createErrorBudget` takes as saved; JSON. */
  readonly encode: () => { readonly earned: number; readonly day: number }
}

const savedSchema = z.object({ earned: z.number().min(0), day: z.number().int() })

/**
 * Online control of false discoveries across the keys of a fleet. Every key-day is one test, for a key's evidence is
 * added up before it is compared. Each day the fleet may spend so many expected false pages:
 *
 *   base(keys) + Σ over discoveries j of EARNED × γ(day − dayⱼ), γ(k) = (1 − δ) δ^(k − 1) for k ≥ 1
 *
 * and the day's share of one key is 1 / limitDays. This is LORD (Javanmard and Montanari; Ramdas et al., "Online
 * control of the false discovery rate with decaying memory", NeurIPS 2017) with two changes: γ is geometric, so that
 * one number is its whole memory, and the initial wealth is a steady allowance instead of one that runs out, because
 * the operator allows so many a year for ever. Over any time the expected number of false pages is at most the
 * sum of `base` and a tenth of all pages; `base` grows with the square root of the number of keys, so doubling them
 * does not double the noise. (SAFFRON, Ramdas et al. 2018, would add an estimate of how many keys are innocent;
 * here nearly all are, so it gains nothing.)
 *
 * The engine asks for `limitDays` alone: what discoveries earn would have to be the same for every partition and after
 * every restart, so it is for a driver that keeps it.
 *
 * `saved` is what `encode` gave; throws a ZodError for anything else.
 */
export function createErrorBudget(settings: ErrorBudgetSettings, saved?: unknown): ErrorBudget {
  const { falsePagesPerKeyYear } = settings
  const start = saved === undefined ? { earned: 0, day: 0 } : savedSchema.parse(saved)
  /** What is left of what discoveries paid in, as of the start of `day`. */
  let { earned, day: earnedDay } = start

  return {
    limitDays: (day, liveKeys) => {
      const keys = Math.max(1, liveKeys)
      const ownADay = falsePagesPerKeyYear / DAYS_PER_YEAR
      const base = ownADay * Math.sqrt(keys * Math.min(keys, WHOLE_BUDGET_KEYS))
      const left = day > earnedDay ? earned * KEPT_A_DAY ** (day - earnedDay - 1) : 0
      const spent = base + left * (1 - KEPT_A_DAY)
      return Math.max(1 / ownADay, keys / spent)
    },
    discovered: (day) => {
      // Days may come a little out of order; what is earned late is earned as of the latest day.
      const latest = Math.max(day, earnedDay)
      if (latest > earnedDay) earned *= KEPT_A_DAY ** (latest - earnedDay)
      earnedDay = latest
      earned += EARNED
    },
    encode: () => ({ earned, day: earnedDay }),
  }
}

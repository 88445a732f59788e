import { z } from 'zod'
import { defaultDetectionSettings } from '#shared/detection/detection-settings.ts'

/** The environment holds text only, so a number's text is taken as the number. */
const amount = (minimum: number, maximum: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value),
    z.number().min(minimum).max(maximum),
  )
const count = (minimum: number) => amount(minimum, 1_000_000_000)
const keyName = z.string().min(1).max(256)

/** A year has so many days with traffic at most; a key that is to page more often wants another tool. */
const PAGES_MAX = 365

/** How much more than usual is worth an alert: what may differ by key. */
const floors = {
  excess_min: count(0),
  excess_of_busy_hour: amount(0, 1000),
  ratio_min: amount(1, 1000),
  young_key_burst: count(1),
  critical_excess: count(1),
}

const retiredKey = z.union([
  keyName.transform((key) => ({ key, source: '*', since: '1970-01-01T00:00:00Z' })),
  z.strictObject({
    key: keyName,
    /** Every source, unless it is named. */
    source: keyName.default('*'),
    since: z.iso
      .datetime({ error: 'must be a time like 2026-03-01T00:00:00Z' })
      .default('1970-01-01T00:00:00Z'),
  }),
])

const defaults = defaultDetectionSettings

/** The section `detection`: numbers that an operator may change; every one has a default that works. */
export const detectionSchema = z.strictObject({
  /** How often one key may wake somebody for nothing. */
  false_pages_per_key_year: amount(0.001, PAGES_MAX).default(0.5),
  excess_min: floors.excess_min.default(defaults.excessMin),
  excess_of_busy_hour: floors.excess_of_busy_hour.default(defaults.excessOfBusyHour),
  ratio_min: floors.ratio_min.default(defaults.ratioMin),
  young_key_burst: floors.young_key_burst.default(defaults.youngKeyBurst),
  unattributed_min: count(1).default(defaults.unattributedMin),
  unattributed_share_max: amount(0, 1).default(defaults.unattributedShareMax),
  unattributed_history_min: count(0).default(defaults.unattributedHistoryMin),
  critical_excess: floors.critical_excess.default(defaults.criticalExcess),
  critical_unattributed: count(1).default(defaults.criticalUnattributed),
  silence_surprise: amount(1, 300).default(defaults.silenceSurprise),
  silence_expected_min: amount(1, 1_000_000).default(defaults.silenceExpectedMin),
  /** By key, or by `source/key` for one source alone. */
  keys: z
    .record(
      z.string().min(1).max(513),
      z.strictObject({
        excess_min: floors.excess_min.optional(),
        excess_of_busy_hour: floors.excess_of_busy_hour.optional(),
        ratio_min: floors.ratio_min.optional(),
        young_key_burst: floors.young_key_burst.optional(),
        critical_excess: floors.critical_excess.optional(),
      }),
    )
    .default({}),
  retired_keys: z.array(retiredKey).max(10_000).default([]),
})
export type DetectionConfig = z.output<typeof detectionSchema>

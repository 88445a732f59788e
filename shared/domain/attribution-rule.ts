import { z } from 'zod'

const name = z.string().min(1).max(128)

/**
 * One rule of the attribution chain, written in the configuration as a one-entry map
 * (`custom_arg: api_key_id`). The first rule that matches names the key.
 */
export const attributionRuleSchema = z.union([
  z.strictObject({ custom_arg: name }),
  z.strictObject({ category_prefix: name }),
  z.strictObject({ source: z.literal(true) }),
  z.strictObject({ sender_domain: z.record(name, name) }),
  z.strictObject({ template: z.record(name, name) }),
  z.strictObject({ pool: z.record(name, name) }),
  z.strictObject({ marketing_campaign: z.record(name, name) }),
  z.strictObject({ account_from_event_id: z.literal(true) }),
])
export type AttributionRule = z.output<typeof attributionRuleSchema>

/** What applies where nothing is configured. */
export const defaultAttributionRules: readonly AttributionRule[] = [
  { custom_arg: 'api_key_id' },
  { category_prefix: 'key:' },
]

import { z } from 'zod'

/** Which rule named the key, and the value it found; `unattributed` when none did. Claimed, never proven. */
export const attributionSchema = z.object({
  rule: z.enum([
    'custom_arg',
    'category_prefix',
    'source',
    'sender_domain',
    'template',
    'pool',
    'marketing_campaign',
    'account_from_event_id',
    'unattributed',
  ]),
  detail: z.string().optional(),
})
export type Attribution = z.output<typeof attributionSchema>

/**
 * One event on `sendgrid.events`. `event` is SendGrid's event with unknown fields kept and values normalised
 * (see normalise-event.ts); `event.sg_event_id`, `event.event` and `event.timestamp` (seconds) are always there.
 * `normalised` names what had to be changed, absent when nothing had to.
 */
export const eventMessageSchema = z.object({
  v: z.literal(1),
  key: z.string().min(1),
  attribution: attributionSchema,
  source: z.string().min(1),
  received_at: z.number().int().nonnegative(),
  normalised: z.array(z.string()).optional(),
  event: z
    .object({ event: z.string().min(1), sg_event_id: z.string().min(1), timestamp: z.number().int() })
    .catchall(z.json()),
})
export type EventMessage = z.output<typeof eventMessageSchema>

/** Why something signed could not be an event. */
export const rejectionReasons = [
  'invalid_utf8',
  'invalid_json',
  'not_an_array',
  'too_deep',
  'not_an_object',
  'schema',
] as const

/**
 * One message on `sendgrid.rejected`: the bytes as they came (base64), so that they can be replayed after a fix.
 * `scope` says whether they are a whole request body or one element of it.
 */
export const rejectedMessageSchema = z.object({
  v: z.literal(1),
  rejected_id: z.string().min(1),
  source: z.string().min(1),
  received_at: z.number().int().nonnegative(),
  scope: z.enum(['body', 'event']),
  reason: z.enum(rejectionReasons),
  detail: z.string().max(500),
  payload_base64: z.string(),
})
export type RejectedMessage = z.output<typeof rejectedMessageSchema>

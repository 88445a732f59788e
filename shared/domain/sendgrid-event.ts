import { z } from 'zod'
import { eventTypes, isEventType, UNKNOWN_PREFIX, type EventType } from './event-shape.ts'

const text = z.string().nullish()
const integer = z.number().int().nullish()
const numberText = z.union([z.string(), z.number().int()]).nullish()
const nested = z.json().optional()

/**
 * The fields that any event may carry, of a normalised event (normalise-event.ts). Fields that are not named here
 * are kept: custom arguments lie at the top level, and SendGrid adds fields without notice.
 */
const common = {
  sg_event_id: z.string().min(1),
  timestamp: z.number().int().positive(),
  email: text,
  sg_message_id: text,
  'smtp-id': text,
  category: z.union([z.string(), z.array(z.string())]).nullish(),
  asm_group_id: integer,
  marketing_campaign_id: numberText,
  marketing_campaign_name: text,
  marketing_campaign_version: text,
  marketing_campaign_split_id: numberText,
  singlesend_id: text,
  singlesend_name: text,
  template_id: text,
  template_hash: text,
  template_version_id: text,
  sg_template_id: text,
  sg_template_name: text,
  newsletter: nested,
  // What belongs to some types only is checked wherever it turns up, so that no type can hide an odd value.
  send_at: integer,
  pool: nested,
  sg_content_type: text,
  response: text,
  attempt: numberText,
  tls: integer,
  cert_err: integer,
  domain: text,
  from: text,
  ip: text,
  reason: text,
  status: text,
  type: text,
  bounce_classification: text,
  useragent: text,
  url: text,
  url_offset: nested,
  sg_machine_open: z.boolean().nullish(),
}

const ofType = <Name extends EventType>(name: Name) => z.looseObject({ ...common, event: z.literal(name) })

/** One schema per event type; an unknown type is an event as well. */
const schemas = {
  processed: ofType('processed'),
  deferred: ofType('deferred'),
  delivered: ofType('delivered'),
  bounce: ofType('bounce'),
  dropped: ofType('dropped'),
  open: ofType('open'),
  click: ofType('click'),
  spamreport: ofType('spamreport'),
  unsubscribe: ofType('unsubscribe'),
  group_unsubscribe: ofType('group_unsubscribe'),
  group_resubscribe: ofType('group_resubscribe'),
  /** An account's event has no recipient and no message. */
  account_status_change: ofType('account_status_change'),
} satisfies Record<EventType, z.ZodType>

const unknownTypeSchema = z.looseObject({ ...common, event: z.string().startsWith(UNKNOWN_PREFIX) })

/** A normalised event of any type. */
export const sendgridEventSchema = z.union([
  z.discriminatedUnion('event', [
    schemas.processed,
    schemas.deferred,
    schemas.delivered,
    schemas.bounce,
    schemas.dropped,
    schemas.open,
    schemas.click,
    schemas.spamreport,
    schemas.unsubscribe,
    schemas.group_unsubscribe,
    schemas.group_resubscribe,
    schemas.account_status_change,
  ]),
  unknownTypeSchema,
])

/**
 * What is wrong with a normalised event, or undefined. Names fields and expectations, never the values: the
 * answer is logged and stored.
 */
export function findSchemaFault(event: { readonly [name: string]: unknown }): string | undefined {
  const { event: type } = event
  if (typeof type !== 'string' || type === '')
    return `event: must be text, one of ${eventTypes.join(', ')} or a new type`
  const checked = (isEventType(type) ? schemas[type] : unknownTypeSchema).safeParse(event)
  if (checked.success) return undefined
  return checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.code}`).join('; ')
}

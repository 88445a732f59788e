import type { Attribution, EventMessage } from '#shared/domain/log-message.ts'
import type { SimulatedEvent } from './event-stream.ts'
import { BILLING_KEY } from './sources.ts'

/** SendGrid posts events a few seconds after they happen. */
export const ARRIVAL_DELAY_MS = 2000

/** The log message that ingest would have made of the event, had it been posted when it happened. */
export function toEventMessage({ source, event, atMs }: SimulatedEvent): EventMessage {
  const { key, attribution } = attribute(source, event)
  return { v: 1, key, attribution, source, received_at: atMs + ARRIVAL_DELAY_MS, event }
}

function attribute(
  source: SimulatedEvent['source'],
  event: SimulatedEvent['event'],
): { readonly key: string; readonly attribution: Attribution } {
  if (source === 'billing') return { key: BILLING_KEY, attribution: { rule: 'source' } }
  const argument = event['api_key_id']
  if (typeof argument === 'string') return { key: argument, attribution: { rule: 'custom_arg' } }
  const category = [event['category']]
    .flat()
    .find((name) => typeof name === 'string' && name.startsWith('key:'))
  if (typeof category === 'string')
    return { key: category.slice(4), attribution: { rule: 'category_prefix' } }
  return { key: 'unattributed', attribution: { rule: 'unattributed' } }
}

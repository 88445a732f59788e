import { signWebhook, SIGNATURE_HEADER, TIMESTAMP_HEADER } from '#shared/domain/webhook-signature.ts'
import type { SendgridEvent } from './render-event.ts'
import type { SourceKeyPair } from './sources.ts'

/**
 * The body of one webhook request, byte for byte as SendGrid writes it: names in alphabetical order, CRLF after
 * the comma behind each event, CRLF at the end.
 */
export function webhookBody(events: readonly SendgridEvent[]): string {
  return `[${events.map(eventText).join(',\r\n')}]\r\n`
}

function eventText(event: SendgridEvent): string {
  const names = Object.keys(event).toSorted()
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, event[name]])))
}

/** The headers SendGrid posts a body with, signed for `nowMs`. */
export function webhookHeaders(keys: SourceKeyPair, body: string, nowMs: number): Record<string, string> {
  const timestamp = Math.floor(nowMs / 1000)
  return {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'SendGrid Event API',
    [TIMESTAMP_HEADER]: String(timestamp),
    [SIGNATURE_HEADER]: signWebhook(keys.privateKey, timestamp, body),
  }
}

import {
  generateSigningKeys,
  SIGNATURE_HEADER,
  signWebhook,
  TIMESTAMP_HEADER,
} from '#shared/domain/webhook-signature.ts'

export const CONNECTIONS = 64
export const eventsPerRequestCases = [1, 10, 100, 1000] as const

/** Requests of one measurement: enough for some seconds of CPU. Few for the sample, which is that much slower. */
export const requestCount = {
  ingest: (events: number) => Math.ceil(24_000 / (1 + events / 40)),
  parts: (events: number) => Math.ceil(6000 / (1 + events / 10)),
  plain: (events: number) => Math.max(CONNECTIONS, Math.ceil(1200 / (1 + events / 40))),
}

export type SignedRequest = { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> }

/**
 * Signed requests of so many events each, some 400 bytes an event, like SendGrid's: delivery events with a category,
 * two custom arguments and CRLF after each. The keys are new, everything else is the same at every run.
 */
export function createRequests(
  eventsPerRequest: number,
  keys: ReturnType<typeof generateSigningKeys> = generateSigningKeys(),
): { readonly publicKey: string; readonly requests: readonly SignedRequest[] } {
  const timestamp = Math.floor(Date.now() / 1000)
  const distinct = Math.max(16, Math.ceil(2000 / eventsPerRequest))
  const requests = Array.from({ length: distinct }, (_, request) => {
    const events = Array.from({ length: eventsPerRequest }, (__, index) =>
      anEvent(`${request}-${index}`, timestamp),
    )
    const body = Buffer.from(`[${events.join(',\r\n')}]\r\n`)
    const signature = signWebhook(keys.privateKey, timestamp, body)
    const headers = {
      [SIGNATURE_HEADER]: signature,
      [TIMESTAMP_HEADER]: String(timestamp),
      'content-type': 'application/json',
      'user-agent': 'SendGrid Event API',
    }
    return { body, headers }
  })
  return { publicKey: keys.publicKey, requests }
}

function anEvent(id: string, timestamp: number): string {
  return JSON.stringify({
    email: `recipient-${id}@example.com`,
    timestamp,
    'smtp-id': `<14c5d75ce93.dfd.${id}@mail.example.com>`,
    event: 'delivered',
    category: ['receipts', 'key:billing'],
    sg_event_id: Buffer.from(`delivered-0-19942112-${id}-0`).toString('base64url'),
    sg_message_id: `14c5d75ce93.dfd.${id}.filter0001.16648.5515E0B88.0`,
    response: '250 2.0.0 OK 1700000000 a1b2c3d4e5f6',
    ip: '192.0.2.17',
    tls: 1,
    api_key_id: `key-${id.length}`,
    order: `order-${id}`,
  })
}

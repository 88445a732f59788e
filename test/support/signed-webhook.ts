import { request as httpRequest } from 'node:http'
import type { KeyObject } from 'node:crypto'
import {
  generateSigningKeys,
  SIGNATURE_HEADER,
  signWebhook,
  TIMESTAMP_HEADER,
} from '#shared/domain/webhook-signature.ts'

/** A source's webhook as SendGrid would sign it. */
export type WebhookSigner = {
  /** For `sources.NAME.public_keys`. */
  readonly publicKey: string
  readonly privateKey: KeyObject
  /** The two headers for a body; signed now unless `timestampSeconds` says when. */
  readonly headers: (body: string | Uint8Array, timestampSeconds?: number) => Record<string, string>
}

export function createWebhookSigner(): WebhookSigner {
  const { publicKey, privateKey } = generateSigningKeys()
  return {
    publicKey,
    privateKey,
    headers: (body, timestampSeconds = Math.floor(Date.now() / 1000)) => ({
      [SIGNATURE_HEADER]: signWebhook(privateKey, timestampSeconds, body),
      [TIMESTAMP_HEADER]: String(timestampSeconds),
    }),
  }
}

/** One `delivered` event of now, with an id of its own; `fields` come on top. */
export function aSendgridEvent(id: string, fields: { readonly [name: string]: unknown } = {}) {
  return {
    email: `${id}@example.com`,
    timestamp: Math.floor(Date.now() / 1000),
    'smtp-id': `<${id}@mail.example.com>`,
    event: 'delivered',
    sg_event_id: id,
    sg_message_id: `${id}.filter0001.16648.5515E0B88.0`,
    response: '250 OK',
    ...fields,
  }
}

/** The body as SendGrid writes it: one event a line, CRLF after each. */
export function webhookBody(events: readonly unknown[]): string {
  return `[${events.map((event) => JSON.stringify(event)).join(',\r\n')}]\r\n`
}

export type WebhookAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Posts to `/v1/webhooks/sendgrid/SOURCE` on 127.0.0.1 over a connection of its own. */
export function postWebhook(options: {
  readonly port: number
  readonly source: string
  readonly body: string | Uint8Array
  readonly headers: Readonly<Record<string, string>>
}): Promise<WebhookAnswer> {
  const { port, source, body, headers } = options
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `/v1/webhooks/sendgrid/${source}`,
        headers,
        agent: false,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

import { createHmac } from 'node:crypto'

const PREFIX = 'whsec_'
/** The specification asks for 24 to 64 bytes; widely used tools make 18, so only what is guessable is refused. */
const SECRET_BYTES_MIN = 16
const SECRET_BYTES_MAX = 64
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The bytes of a Standard Webhooks secret (`whsec_` and base64, 16 to 64 bytes), or undefined if it is none. */
export function parseWebhookSecret(text: string): Uint8Array | undefined {
  if (!text.startsWith(PREFIX)) return undefined
  const encoded = text.slice(PREFIX.length)
  if (!BASE64.test(encoded)) return undefined
  const secret = Buffer.from(encoded, 'base64')
  return secret.length >= SECRET_BYTES_MIN && secret.length <= SECRET_BYTES_MAX ? secret : undefined
}

/**
 * The headers that prove who sent a webhook: HMAC-SHA256 over `id.timestamp.body`, one signature per secret,
 * so that a receiver that knows either the old or the new secret accepts it while one is being rotated.
 *
 * The id stays the same for every try of one message: the receiver drops what it has seen. The time is that of
 * the try, in Unix seconds, because receivers refuse old ones.
 * Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
 */
export function signWebhook(message: {
  readonly id: string
  readonly timestampSeconds: number
  readonly body: string
  readonly secrets: readonly Uint8Array[]
}): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const { id, timestampSeconds, body, secrets } = message
  const content = `${id}.${timestampSeconds}.${body}`
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(content).digest('base64')}`,
  )
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  }
}

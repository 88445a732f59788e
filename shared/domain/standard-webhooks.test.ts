import { describe, expect, it } from 'vitest'
import { parseWebhookSecret, signWebhook } from './standard-webhooks.ts'

// The example that Svix publishes for this scheme (docs.svix.com, "Verifying webhooks manually").
const published = {
  secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
  id: 'msg_loFOjxBNrRLzqYUf',
  timestampSeconds: 1_731_705_121,
  body: '{"event_type":"ping","data":{"success":true}}',
  signature: 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
}

function secretOf(text: string): Uint8Array {
  const secret = parseWebhookSecret(text)
  if (secret === undefined) throw new Error('the test secret is well formed')
  return secret
}

describe('signWebhook', () => {
  it('signs the published example as published', () => {
    const headers = signWebhook({ ...published, secrets: [secretOf(published.secret)] })
    expect(headers).toEqual({
      'webhook-id': published.id,
      'webhook-timestamp': '1731705121',
      'webhook-signature': published.signature,
    })
  })

  it('gives one signature per secret while a secret is being rotated', () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const headers = signWebhook({ ...published, secrets: [secretOf(other), secretOf(published.secret)] })
    const signatures = headers['webhook-signature'].split(' ')
    expect(signatures).toHaveLength(2)
    expect(signatures[1]).toBe(published.signature)
    expect(signatures[0]).not.toBe(published.signature)
  })

  it.each([
    { changed: 'body', with: { body: `${published.body} ` } },
    { changed: 'id', with: { id: 'msg_other' } },
    { changed: 'time', with: { timestampSeconds: published.timestampSeconds + 1 } },
  ])('gives another signature for another $changed', ({ with: change }) => {
    const headers = signWebhook({ ...published, ...change, secrets: [secretOf(published.secret)] })
    expect(headers['webhook-signature']).not.toBe(published.signature)
  })
})

describe('parseWebhookSecret', () => {
  it.each([
    { name: 'without its prefix', text: 'plJ3nmyCDGBKInavdOK15jsl' },
    { name: 'of another kind of key', text: 'whsk_plJ3nmyCDGBKInavdOK15jsl' },
    { name: 'that is not base64', text: 'whsec_not base64 at all!' },
    { name: 'that is too short', text: `whsec_${Buffer.alloc(15, 1).toString('base64')}` },
    { name: 'that is too long', text: `whsec_${Buffer.alloc(65, 1).toString('base64')}` },
    { name: 'that is empty', text: 'whsec_' },
  ])('refuses a secret $name', ({ text }) => {
    expect(parseWebhookSecret(text)).toBeUndefined()
  })
})

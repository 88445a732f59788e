import { EventWebhook } from '@sendgrid/eventwebhook'
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SIGNATURE_HEADER, TIMESTAMP_HEADER } from '#shared/domain/webhook-signature.ts'
import { generateEvents } from './event-stream.ts'
import { defaultFleet } from './fleet.ts'
import { webhookBody, webhookHeaders } from './webhook-request.ts'

const FROM_MS = Date.UTC(2026, 2, 4, 9)
const events = [
  ...generateEvents({ profiles: defaultFleet, seed: 3, rate: 1, fromMs: FROM_MS, toMs: FROM_MS + 600_000 }),
].map(({ event }) => event)

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const keys = { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') }
const accepted = (body: string, headers: Record<string, string>) => {
  const official = new EventWebhook()
  return official.verifySignature(
    official.convertPublicKeyToECDSA(keys.publicKey),
    body,
    headers[SIGNATURE_HEADER] ?? '',
    headers[TIMESTAMP_HEADER] ?? '',
  )
}

describe('webhookBody', () => {
  it('is written as SendGrid writes it: CRLF behind each event and at the end, names in order', () => {
    const body = webhookBody(events)
    const lines = body.split('\r\n')
    expect(lines).toHaveLength(events.length + 1)
    expect(lines.at(-1)).toBe('')
    expect(body.startsWith('[{"')).toBe(true)
    expect(body.endsWith('}]\r\n')).toBe(true)
    expect(lines.slice(0, -2).every((line) => line.endsWith('},'))).toBe(true)
    expect(JSON.parse(body)).toEqual(events)
    const names = Object.keys(JSON.parse(body)[0])
    expect(names).toEqual(names.toSorted())
  })

  it('ends in CRLF for a single event, too', () => {
    expect(webhookBody(events.slice(0, 1))).toMatch(/^\[\{.*\}\]\r\n$/)
  })
})

describe('webhookHeaders', () => {
  it("carries a signature that SendGrid's own library accepts for these bytes and no others", () => {
    const body = webhookBody(events.slice(0, 5))
    const headers = webhookHeaders(keys, body, FROM_MS)
    expect(headers[TIMESTAMP_HEADER]).toBe(String(FROM_MS / 1000))
    expect(accepted(body, headers)).toBe(true)
    expect(accepted(body.trimEnd(), headers)).toBe(false)
    expect(accepted(body, { ...headers, [TIMESTAMP_HEADER]: String(FROM_MS / 1000 + 1) })).toBe(false)
  })
})

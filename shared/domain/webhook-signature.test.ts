import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { EventWebhook } from '@sendgrid/eventwebhook'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  generateSigningKeys,
  loadPublicKey,
  signWebhook,
  verifyWebhook,
  type WebhookVerification,
} from './webhook-signature.ts'

const NOW_SECONDS = 1_700_000_000
const DAY_SECONDS = 86_400
const pair = generateSigningKeys()
const publicKey = loadPublicKey(pair.publicKey)
const BODY = '[{"event":"delivered"}]'

type Attempt = {
  keys?: readonly KeyObject[]
  signature?: string | undefined
  timestamp?: string | undefined
  body?: string | Uint8Array
  nowSeconds?: number
}

function verify(attempt: Attempt): WebhookVerification {
  const { body = BODY, nowSeconds = NOW_SECONDS } = attempt
  return verifyWebhook({
    keys: attempt.keys ?? [publicKey],
    signature: 'signature' in attempt ? attempt.signature : signWebhook(pair.privateKey, NOW_SECONDS, body),
    timestamp: 'timestamp' in attempt ? attempt.timestamp : String(NOW_SECONDS),
    body: typeof body === 'string' ? Buffer.from(body) : body,
    nowMs: nowSeconds * 1000,
    maxAgeSeconds: 25 * 3600,
    maxFutureSeconds: 300,
  })
}

describe('agreement with @sendgrid/eventwebhook', () => {
  const official = new EventWebhook()
  const officialKey = official.convertPublicKeyToECDSA(pair.publicKey)
  const officialVerifies = (signature: string, timestamp: string, body: Buffer): boolean => {
    try {
      return official.verifySignature(officialKey, body, signature, timestamp)
    } catch {
      return false
    }
  }
  const event = fc.record({ event: fc.constantFrom('open', 'click'), text: fc.string({ unit: 'grapheme' }) })
  const body = fc.array(event, { maxLength: 5 }).map((events) => `${JSON.stringify(events)}\r\n`)
  const timestamp = fc.integer({ min: NOW_SECONDS - DAY_SECONDS, max: NOW_SECONDS + 300 })

  it('holds for every genuine request', () => {
    fc.assert(
      fc.property(body, timestamp, (text, seconds) => {
        const signature = signWebhook(pair.privateKey, seconds, text)
        const bytes = Buffer.from(text)
        expect(officialVerifies(signature, String(seconds), bytes)).toBe(true)
        expect(verify({ signature, timestamp: String(seconds), body: bytes }).kind).toBe('verified')
      }),
      { numRuns: 40, seed: 1 },
    )
  })

  it('holds when any one byte of body, timestamp or signature is another: both refuse', () => {
    const part = fc.constantFrom('body', 'timestamp', 'signature')
    fc.assert(
      fc.property(
        body,
        timestamp,
        part,
        fc.nat(),
        fc.integer({ min: 1, max: 127 }),
        (text, seconds, where, at, change) => {
          const original = signWebhook(pair.privateKey, seconds, text)
          const parts = {
            body: Buffer.from(text),
            timestamp: Buffer.from(String(seconds)),
            signature: Buffer.from(original, 'base64'),
          }
          const bytes = parts[where]
          const position = at % bytes.length
          // Seven bits keep text within ASCII or make it invalid UTF-8 for both readers alike.
          bytes[position] = (bytes[position] ?? 0) ^ change
          const request = {
            signature: parts.signature.toString('base64'),
            timestamp: parts.timestamp.toString('latin1'),
            body: parts.body,
          }
          const ours = verify(request).kind === 'verified'
          expect(ours).toBe(false)
          // The official library reads past a wrong DER length; OpenSSL and with it our verifier does not.
          const rLength = Buffer.from(original, 'base64')[3] ?? 0
          if (where === 'signature' && [0, 1, 2, 3, 4 + rLength, 5 + rLength].includes(position)) return
          expect(officialVerifies(request.signature, request.timestamp, request.body)).toBe(false)
        },
      ),
      { numRuns: 120, seed: 2 },
    )
  })
})

describe('verifyWebhook', () => {
  it('names the key that verified, so that a rotated key can be retired', () => {
    const other = loadPublicKey(generateSigningKeys().publicKey)
    expect(verify({ keys: [publicKey, other] })).toEqual({ kind: 'verified', keyIndex: 0, ageSeconds: 0 })
    expect(verify({ keys: [other, publicKey] })).toMatchObject({ kind: 'verified', keyIndex: 1 })
    expect(verify({ keys: [other] })).toEqual({ kind: 'refused', reason: 'no_key_verifies' })
    expect(verify({ keys: [] })).toEqual({ kind: 'refused', reason: 'no_key_verifies' })
  })

  it('accepts the twin signature (r, n - s), because the real sender does not normalise s', () => {
    const twin = withNegatedS(signWebhook(pair.privateKey, NOW_SECONDS, BODY))
    expect(verify({ signature: twin }).kind).toBe('verified')
  })

  it.each([
    { name: 'no signature', attempt: { signature: undefined }, reason: 'missing' },
    { name: 'no timestamp', attempt: { timestamp: undefined }, reason: 'missing' },
    ...[
      '',
      'abc',
      '-1',
      '1e9',
      ' 1700000000',
      '1700000000 ',
      '170000000',
      '17000000000',
      '1700000000000',
      '１７００００００００',
      '1700000000, 1700000000',
      '1700000000\n',
    ].map((timestamp) => ({
      name: `timestamp ${JSON.stringify(timestamp)}`,
      attempt: { timestamp },
      reason: 'malformed_timestamp',
    })),
    ...['', '!', 'MEU CIG', 'MEUCIG==\n', 'a, b', `${'A'.repeat(201)}`, 'A===', 'A-_'].map((signature) => ({
      name: `signature ${JSON.stringify(signature.slice(0, 12))} of ${signature.length} characters`,
      attempt: { signature },
      reason: 'malformed_signature',
    })),
    { name: 'bad DER', attempt: { signature: 'AAAA' }, reason: 'no_key_verifies' },
    { name: 'r = s = 0', attempt: { signature: 'MAYCAQACAQA=' }, reason: 'no_key_verifies' },
    {
      name: 'an age above the limit',
      attempt: { nowSeconds: NOW_SECONDS + 25 * 3600 + 1 },
      reason: 'too_old',
    },
    { name: 'a time too far ahead', attempt: { nowSeconds: NOW_SECONDS - 301 }, reason: 'in_the_future' },
  ])('refuses $name', ({ attempt, reason }) => {
    expect(verify(attempt)).toEqual({ kind: 'refused', reason })
  })

  it('refuses a signature with a byte behind its end', () => {
    const der = Buffer.from(signWebhook(pair.privateKey, NOW_SECONDS, BODY), 'base64')
    const signature = Buffer.concat([der, Buffer.of(0)]).toString('base64')
    expect(verify({ signature })).toEqual({ kind: 'refused', reason: 'no_key_verifies' })
  })

  it('accepts both ends of the allowed window', () => {
    expect(verify({ nowSeconds: NOW_SECONDS + 25 * 3600 }).kind).toBe('verified')
    expect(verify({ nowSeconds: NOW_SECONDS - 300 }).kind).toBe('verified')
  })

  it('refuses every shift of the boundary between timestamp and body', () => {
    const signature = signWebhook(pair.privateKey, NOW_SECONDS, BODY)
    const signed = `${NOW_SECONDS}${BODY}`
    for (let at = 0; at <= signed.length; at++) {
      const outcome = verify({ signature, timestamp: signed.slice(0, at), body: signed.slice(at) })
      expect({ at, kind: outcome.kind }).toEqual({ at, kind: at === 10 ? 'verified' : 'refused' })
    }
  })

  it('refuses a body that begins with a digit, whatever its signature', () => {
    expect(verify({ body: '0[{"event":"open"}]' })).toEqual({ kind: 'refused', reason: 'body_boundary' })
  })

  it('leaves signed oddities to the parser, so that they are quarantined and not repeated for a day', () => {
    for (const body of ['', '{}', '\uFEFF[]', 'null', '"text"', 'not JSON']) {
      expect(verify({ body }).kind).toBe('verified')
    }
  })
})

describe('loadPublicKey', () => {
  const spki = { format: 'der', type: 'spki' } as const
  it.each([
    { name: 'text that is no key', key: 'c2VjcmV0' },
    { name: 'nothing', key: '' },
    {
      name: 'P-384',
      key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export(spki).toString('base64'),
    },
    { name: 'Ed25519', key: generateKeyPairSync('ed25519').publicKey.export(spki).toString('base64') },
    {
      name: 'RSA',
      key: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export(spki).toString('base64'),
    },
  ])('refuses $name', ({ key }) => {
    expect(() => loadPublicKey(key)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

/** The other valid signature of the same text: s replaced by the group order minus s. */
function withNegatedS(signature: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const der = Buffer.from(signature, 'base64')
  const rLength = der[3] ?? 0
  const r = der.subarray(4, 4 + rLength)
  const s = BigInt(`0x${der.subarray(6 + rLength).toString('hex')}`)
  let negated = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')
  if ((negated[0] ?? 0) >= 0x80) negated = Buffer.concat([Buffer.of(0), negated])
  while (negated.length > 1 && negated[0] === 0 && (negated[1] ?? 0) < 0x80) negated = negated.subarray(1)
  const content = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, negated.length), negated])
  return Buffer.concat([Buffer.of(0x30, content.length), content]).toString('base64')
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SIGNATURE_HEADER, signWebhook, TIMESTAMP_HEADER } from '#shared/domain/webhook-signature.ts'
import { startIngestHarness, type IngestHarness } from '../support/ingest-harness.ts'
import { aSendgridEvent, createWebhookSigner, webhookBody } from '../support/signed-webhook.ts'

const nowSeconds = () => Math.floor(Date.now() / 1000)

describe('a webhook request is accepted only with a fresh signature of its source', () => {
  const oldKey = createWebhookSigner()
  const newKey = createWebhookSigner()
  let harness: IngestHarness
  beforeAll(async () => {
    harness = await startIngestHarness({
      signer: newKey,
      sources: {
        main: { public_keys: [oldKey.publicKey, newKey.publicKey] },
        other: { public_keys: [createWebhookSigner().publicKey] },
      },
    })
  })
  afterAll(() => harness.stop())

  const body = webhookBody([aSendgridEvent('genuine')])
  const refused = { status: 401, text: '{"error":"refused"}' }
  const rejections = (reason: string) =>
    harness.metric(`keywatch_ingest_signature_rejected_total{reason="${reason}"}`)

  it.each([
    { name: 'no signature', headers: { [SIGNATURE_HEADER]: undefined }, reason: 'missing' },
    { name: 'no timestamp', headers: { [TIMESTAMP_HEADER]: undefined }, reason: 'missing' },
    { name: 'an empty signature', headers: { [SIGNATURE_HEADER]: '' }, reason: 'malformed_signature' },
    { name: 'a signature of junk', headers: { [SIGNATURE_HEADER]: '{}' }, reason: 'malformed_signature' },
    {
      name: 'a long signature',
      headers: { [SIGNATURE_HEADER]: 'A'.repeat(300) },
      reason: 'malformed_signature',
    },
    {
      name: 'a signature that is no DER',
      headers: { [SIGNATURE_HEADER]: 'AAAA' },
      reason: 'no_key_verifies',
    },
    {
      name: 'a signature of zeros',
      headers: { [SIGNATURE_HEADER]: 'MAYCAQACAQA=' },
      reason: 'no_key_verifies',
    },
    ...['abc', '-1', '1e9', '17000000000', '1700000000000', '', '170000000'].map((timestamp) => ({
      name: `the timestamp ${JSON.stringify(timestamp)}`,
      headers: { [TIMESTAMP_HEADER]: timestamp },
      reason: 'malformed_timestamp',
    })),
    {
      name: 'another timestamp than the signed one',
      headers: { [TIMESTAMP_HEADER]: String(nowSeconds() - 5) },
      reason: 'no_key_verifies',
    },
  ])('401: $name', async ({ headers, reason }) => {
    const before = await rejections(reason)
    expect(await harness.post(body, { headers })).toMatchObject(refused)
    expect(await rejections(reason)).toBe(before + 1)
  })

  it('401: a tampered body, and the key of another source', async () => {
    const headers = harness.signer.headers(body)
    expect(await harness.post(body.replace('250 OK', '250 KO'), { headers })).toMatchObject(refused)
    expect(await harness.post(body, { source: 'other' })).toMatchObject(refused)
  })

  it('401: a digit moved from the timestamp into the body, although the signature covers the same bytes', async () => {
    const seconds = nowSeconds()
    const signature = signWebhook(newKey.privateKey, seconds, body)
    const timestamp = String(seconds)
    const moved = {
      body: timestamp.slice(9) + body,
      headers: { [SIGNATURE_HEADER]: signature, [TIMESTAMP_HEADER]: timestamp.slice(0, 9) },
    }
    expect(await harness.post(moved.body, moved)).toMatchObject(refused)
  })

  it('401: older than 25 hours or more than 5 minutes ahead; accepted up to there', async () => {
    const post = (timestampSeconds: number) => harness.post('[]', { timestampSeconds })
    expect(await post(nowSeconds() - 25 * 3600 - 5)).toMatchObject(refused)
    expect(await rejections('too_old')).toBe(1)
    expect(await post(nowSeconds() + 310)).toMatchObject(refused)
    expect(await rejections('in_the_future')).toBe(1)
    expect(await post(nowSeconds() - 25 * 3600 + 30)).toMatchObject({ status: 200 })
    expect(await post(nowSeconds() + 290)).toMatchObject({ status: 200 })
  })

  it('404 with the same answer: an unknown source, whatever else is right or wrong', async () => {
    const unknown = { status: 404, text: '{"error":"refused"}' }
    expect(await harness.post(body, { source: 'nosuch' })).toMatchObject(unknown)
    expect(
      await harness.post(body, { source: 'nosuch', headers: { [SIGNATURE_HEADER]: undefined } }),
    ).toMatchObject(unknown)
    expect(await harness.post(body, { source: '__proto__' })).toMatchObject(unknown)
  })

  it('keeps nothing of what it refused', async () => {
    expect(await harness.events()).toEqual([])
    expect(await harness.rejected()).toEqual([])
  })

  it('200: signed with the old key or with the new one, and the metric says which', async () => {
    const matched = (index: number) =>
      harness.metric(`keywatch_ingest_key_matched_total{source="main",key_index="${index}"}`)
    const before = await matched(1)
    expect(await harness.post(body, { headers: oldKey.headers(body) })).toMatchObject({ status: 200 })
    expect(await harness.post(body)).toMatchObject({ status: 200, text: '{"accepted":1,"rejected":0}' })
    expect(await matched(0)).toBe(1)
    expect(await matched(1)).toBe(before + 1)
  })

  it('200: an exact replay, with the same id and time, so that the detector drops it', async () => {
    const headers = harness.signer.headers(body)
    await harness.post(body, { headers })
    await harness.post(body, { headers })
    const events = (await harness.events()).map(({ event, key }) => [key, event.sg_event_id, event.timestamp])
    expect(events.length).toBeGreaterThanOrEqual(4)
    expect(new Set(events.map(String)).size).toBe(1)
  })
})

describe('ingest refuses to start', () => {
  it.each([
    { name: 'without a source', sources: {} },
    { name: 'with a key that is none', sources: { main: { public_keys: ['garbage'] } } },
    {
      name: 'with a reserved name as a key',
      sources: { main: { public_keys: [createWebhookSigner().publicKey], key: 'overflow' } },
    },
  ])('$name', async ({ sources }) => {
    await expect(startIngestHarness({ sources })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

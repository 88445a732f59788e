import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startIngestHarness, type IngestHarness } from '../support/ingest-harness.ts'
import { aSendgridEvent, webhookBody } from '../support/signed-webhook.ts'

let harness: IngestHarness
beforeEach(async () => {
  harness = await startIngestHarness()
})
afterEach(() => harness.stop())

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('a signed body is answered with 200 whatever it holds', () => {
  it.each([
    { name: 'nothing', body: '', reason: 'invalid_json' },
    { name: 'no JSON', body: 'hello', reason: 'invalid_json' },
    { name: 'an array that is cut', body: '[{"event":"open"}', reason: 'invalid_json' },
    { name: 'a byte order mark', body: '\uFEFF[]', reason: 'invalid_json' },
    { name: 'an object', body: '{"event":"open"}', reason: 'not_an_array' },
    {
      name: 'invalid UTF-8',
      body: Buffer.from([0x5b, 0x22, 0xc3, 0x28, 0x22, 0x5d]),
      reason: 'invalid_utf8',
    },
  ])('quarantine, byte for byte: $name', async ({ body, reason }) => {
    expect(await harness.post(body)).toMatchObject({ status: 200, text: '{"accepted":0,"rejected":1}' })
    const rejected = await harness.rejected()
    expect(rejected).toMatchObject([{ scope: 'body', reason, source: 'main' }])
    expect(Buffer.from(rejected[0]?.payload_base64 ?? '', 'base64')).toEqual(Buffer.from(body))
    expect(await harness.events()).toEqual([])
    expect(await harness.metric(`keywatch_ingest_rejected_total{source="main",reason="${reason}"}`)).toBe(1)
  })

  it('no events: an empty array', async () => {
    expect(await harness.post('[]')).toMatchObject({ status: 200, text: '{"accepted":0,"rejected":0}' })
    expect(await harness.events()).toEqual([])
    expect(await harness.rejected()).toEqual([])
  })

  it('100,000 events, all of them kept', async () => {
    const events = Array.from({ length: 100_000 }, (_, index) => ({
      event: 'open',
      sg_event_id: `i${index}`,
    }))
    expect(await harness.post(JSON.stringify(events))).toMatchObject({
      status: 200,
      text: '{"accepted":100000,"rejected":0}',
    })
    const stored = await harness.events()
    expect(new Set(stored.map(({ event }) => event.sg_event_id)).size).toBe(100_000)
  })

  it.each([10_000, 1_000_000])(
    'quarantine: nesting of %d levels, beside events that are kept',
    async (levels) => {
      const element = `{"event":"open","deep":${nested(levels)}}`
      const good = JSON.stringify(aSendgridEvent('good'))
      expect(await harness.post(`[${good},${element}]`)).toMatchObject({
        text: '{"accepted":1,"rejected":1}',
      })
      expect(await harness.post(nested(levels))).toMatchObject({ text: '{"accepted":0,"rejected":1}' })
      expect((await harness.rejected()).map(({ reason }) => reason).toSorted()).toEqual([
        'not_an_object',
        'too_deep',
      ])
      expect((await harness.events()).map(({ event }) => event.sg_event_id)).toEqual(['good'])
    },
  )

  it('quarantine of odd elements, their neighbours kept', async () => {
    const odd = [null, 5, 'text', [1], {}, { event: '' }]
    const body = webhookBody([aSendgridEvent('first'), ...odd, aSendgridEvent('last')])
    expect(await harness.post(body)).toMatchObject({ text: '{"accepted":2,"rejected":6}' })
    expect((await harness.events()).map(({ event }) => event.sg_event_id).toSorted()).toEqual([
      'first',
      'last',
    ])
    const payloads = (await harness.rejected()).map(({ payload_base64: payload }): unknown =>
      JSON.parse(Buffer.from(payload, 'base64').toString()),
    )
    expect(new Set(payloads.map((payload) => JSON.stringify(payload)))).toEqual(
      new Set(odd.map((element) => JSON.stringify(element))),
    )
  })

  it('hostile values arrive in the log as harmless ones, and the message says what was changed', async () => {
    const body = String.raw`[{"event":"click","sg_event_id":5,"timestamp":1e999,"email":"a@b\r\nBcc: c@d",
      "url":"javascript:\u0000\ud800","asm_group_id":9007199254740993,"category":["<script>",{"a":1}],
      "__proto__":{"polluted":true},"useragent":"${'x'.repeat(1_000_000)}","attempt":"5"}]`
    expect(await harness.post(body)).toMatchObject({ text: '{"accepted":1,"rejected":0}' })
    const [message] = await harness.events()
    expect(message?.normalised?.toSorted()).toEqual(
      ['asm_group_id', 'category', 'sg_event_id', 'timestamp', 'url', 'useragent'].toSorted(),
    )
    expect(message?.event).toMatchObject({
      event: 'click',
      timestamp: Math.floor((message?.received_at ?? 0) / 1000),
      sg_event_id: expect.stringMatching(/^h:[0-9a-f]{64}$/),
      email: 'a@b\r\nBcc: c@d',
      url: 'javascript:\0\uFFFD',
      asm_group_id: Number.MAX_SAFE_INTEGER,
      category: ['<script>', '{"a":1}'],
      useragent: expect.stringMatching(/…\[cut\] sha256:[0-9a-f]{64}$/),
      attempt: '5',
    })
    expect('polluted' in {}).toBe(false)
  })

  it('the same id twice: the first one is kept, a difference is counted', async () => {
    const body = webhookBody([aSendgridEvent('twin'), aSendgridEvent('twin', { response: 'other' })])
    expect(await harness.post(body)).toMatchObject({ text: '{"accepted":1,"rejected":0}' })
    expect((await harness.events()).map(({ event }) => event['response'])).toEqual(['250 OK'])
    expect(await harness.metric('keywatch_ingest_conflict_total{source="main"}')).toBe(1)
  })

  it('a new key with every mail: each is kept under its own name', async () => {
    const events = Array.from({ length: 5000 }, (_, index) =>
      aSendgridEvent(`e${index}`, { api_key_id: `k${index}` }),
    )
    await harness.post(webhookBody(events))
    expect(new Set((await harness.events()).map(({ key }) => key)).size).toBe(5000)
  })
})

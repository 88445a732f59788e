import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { eventTypes } from '#shared/domain/event-shape.ts'
import { generateSigningKeys } from '#shared/domain/webhook-signature.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { createEventReader } from '../../cli/backtest/read-event.ts'
import { decodeRecord, toEngineEvent } from '../../services/detector/decode-records.ts'
import { createMetrics } from '../../services/ingest/metrics.ts'
import { createPrepareMessages } from '../../services/ingest/prepare-messages.ts'
import { createSources } from '../../services/ingest/sources.ts'

const NOW_SECONDS = 1_790_000_000
const config = configSchema.parse({
  sources: { main: { public_keys: [generateSigningKeys().publicKey] } },
  attribution: [{ custom_arg: 'api_key_id' }, { category_prefix: 'key:' }, { pool: { bulk: 'newsletter' } }],
  privacy: { hash_key: 'a key for tests' },
})
const privacy = createRecipientPrivacy(config)
const readEvent = createEventReader(config)
const prepare = createPrepareMessages(createMetrics(() => 0))

/** What the live system makes of an event: through ingest, its message, and the detector's decoding. */
async function live(event: unknown) {
  const { source } = createSources(config).find('main')
  if (source === undefined) throw new Error('source main is configured')
  const prepared = await prepare(source, Buffer.from(JSON.stringify([event])), NOW_SECONDS * 1000)
  const [record] = prepared.events
  if (record === undefined) return 'rejected'
  const value = Buffer.from(record.value)
  const decoded = decodeRecord({ key: record.key, value, offset: 0, appendedAtMs: 0 }, 0, privacy)
  return decoded.kind === 'event' ? toEngineEvent(decoded) : 'unreadable'
}

function inBacktest(event: unknown) {
  const line: unknown = JSON.parse(JSON.stringify({ received_at: NOW_SECONDS, source: 'main', event }))
  const read = readEvent(line, 0)
  return read.kind === 'event' ? read.event : 'rejected'
}

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 300 }))
const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text)
const address = fc.oneof(
  fc.emailAddress(),
  fc.constantFrom('', 'nobody', 'A@B.example', 'a@b@c.example', '"x y"@Z.example'),
)
const categories = fc.oneof(
  fc.constantFrom('receipts', 'key:payroll', 'for jane@example.com'),
  fc.array(fc.constantFrom('b', 'a', 'key:x'), { maxLength: 25 }),
)
const usual = fc.record(
  {
    event: fc.constantFrom(...eventTypes, 'teleported'),
    timestamp: fc.constantFrom(
      NOW_SECONDS - 5,
      String(NOW_SECONDS - 5),
      (NOW_SECONDS - 5) * 1000,
      NOW_SECONDS + 90_000,
      0,
    ),
    sg_event_id: fc.constantFrom('id-1', '', 'x'.repeat(300)),
    sg_message_id: fc.string(),
    email: address,
    'smtp-id': fc.constantFrom('<1@Mail-17.example>', '<a@geopod-ismtpd-3>', 'none'),
    category: categories,
    sg_template_id: fc.constantFrom('d-1', ''),
    template_id: fc.constantFrom('d-2', 7),
    pool: fc.constantFrom('bulk', { name: 'bulk', id: 3 }, 7),
    marketing_campaign_id: fc.constantFrom(12_345, '12345'),
    singlesend_id: fc.constantFrom('s-1'),
    url: fc.oneof(
      fc.webUrl(),
      fc.constantFrom('https://a.io/x?e=jane@b.org', 'https://jane@a.io', 'mailto:x@y.z'),
    ),
    sg_machine_open: fc.constantFrom(true, false, 'true', 1),
    bounce_classification: fc.constantFrom('Invalid Address', ''),
    type: fc.constantFrom('bounce', 'blocked', 'compliance_suspend'),
    api_key_id: fc.constantFrom('orders', '', 77, null, '*'),
    order: fc.constantFrom('1234', 'abc', '3c1f6a9e-0000-4000-8000-0123456789ab', null, 5, [1], { a: 1 }),
  },
  { requiredKeys: ['event', 'timestamp', 'sg_event_id'] },
)

describe('an event in a backtest', () => {
  it('is given to the engine exactly as the live system would give it, facts and all', async () => {
    await fc.assert(
      fc.asyncProperty(usual, fc.dictionary(text, odd, { maxKeys: 4 }), async (event, more) => {
        const whole = { ...more, ...event }
        expect(inBacktest(whole)).toEqual(await live(whole))
      }),
      { numRuns: 400 },
    )
  })

  it('is refused where the live system refuses it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('event', 'timestamp', 'email', 'a'), odd),
        async (event) => {
          expect(inBacktest(event)).toEqual(await live(event))
        },
      ),
    )
  })
})

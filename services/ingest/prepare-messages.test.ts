import { describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { eventMessageSchema, rejectedMessageSchema } from '#shared/domain/log-message.ts'
import { generateSigningKeys } from '#shared/domain/webhook-signature.ts'
import { createMetrics } from './metrics.ts'
import { createPrepareMessages } from './prepare-messages.ts'
import { createSources, type Source } from './sources.ts'

const NOW_MS = 1_700_000_000_000
const config = configSchema.parse({ sources: { main: { public_keys: [generateSigningKeys().publicKey] } } })
const source = mainSource()

function mainSource(): Source {
  const found = createSources(config).find('main').source
  if (found === undefined) throw new Error('source main is configured')
  return found
}

function createFixture() {
  const metrics = createMetrics(() => 0)
  const prepare = createPrepareMessages(metrics)
  return {
    count: async (name: string) => {
      const { values } = (await metrics.registry.getSingleMetric(`keywatch_ingest_${name}`)?.get()) ?? {
        values: [],
      }
      return values.reduce((sum, { value }) => sum + value, 0)
    },
    prepare: async (body: string | Buffer) => {
      const prepared = await prepare(source, Buffer.from(body), NOW_MS)
      return {
        ...prepared,
        events: prepared.events.map(({ key, value }) => ({
          key,
          message: eventMessageSchema.parse(JSON.parse(String(value))),
        })),
        rejected: prepared.rejected.map(({ key, value }) => ({
          key,
          message: rejectedMessageSchema.parse(JSON.parse(String(value))),
          bytes: Buffer.from(rejectedMessageSchema.parse(JSON.parse(String(value))).payload_base64, 'base64'),
        })),
      }
    },
  }
}

const event = (id: string, fields: object = {}) => ({
  event: 'delivered',
  sg_event_id: id,
  timestamp: 1_700_000_000,
  ...fields,
})

describe('prepareMessages', () => {
  it('makes one record per event, keyed by the attributed key, with the event as it came', async () => {
    const { prepare } = createFixture()
    const sent = event('a', { api_key_id: 'billing', custom: 'x' })
    const { events, countByType, countByRule } = await prepare(JSON.stringify([sent, event('b')]))
    expect(events).toEqual([
      {
        key: 'billing',
        message: {
          v: 1,
          key: 'billing',
          attribution: { rule: 'custom_arg', detail: 'api_key_id' },
          source: 'main',
          received_at: NOW_MS,
          event: sent,
        },
      },
      { key: 'unattributed', message: expect.objectContaining({ attribution: { rule: 'unattributed' } }) },
    ])
    expect(Object.fromEntries(countByType)).toEqual({ delivered: 2 })
    expect(Object.fromEntries(countByRule)).toEqual({ custom_arg: 1, unattributed: 1 })
  })

  it('lets no field of an event stand in for one of the message', async () => {
    const fields = {
      key: 'x',
      source: 'x',
      received_at: 1,
      v: 2,
      attribution: {},
      tenant_key: 'x',
      normalised: ['x'],
    }
    const { events } = await createFixture().prepare(JSON.stringify([event('a', fields)]))
    expect(events[0]?.message).toMatchObject({
      key: 'unattributed',
      source: 'main',
      received_at: NOW_MS,
      v: 1,
    })
    expect(events[0]?.message.event).toMatchObject(fields)
  })

  it('rejects what is no event with its bytes, and keeps its neighbours', async () => {
    const { prepare, count } = createFixture()
    const deep = `{"event":"open","deep":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
    const odd = ['null', '7', '"text"', '[{"event":"open"}]', '{"email":"a@b"}', deep]
    const good = [JSON.stringify(event('a')), JSON.stringify(event('z'))]
    const { events, rejected } = await prepare(`[${[good[0], ...odd, good[1]].join(' ,\r\n')}]\r\n`)
    expect(events.map(({ message }) => message.event.sg_event_id)).toEqual(['a', 'z'])
    expect(rejected.map(({ bytes }) => bytes.toString())).toEqual(odd)
    expect(rejected.map(({ message }) => [message.scope, message.reason])).toEqual([
      ...Array.from({ length: 4 }, () => ['event', 'not_an_object']),
      ['event', 'schema'],
      ['event', 'too_deep'],
    ])
    expect(await count('rejected_total')).toBe(6)
  })

  it('gives a rejection the same id at every delivery, and another for another source of bytes', async () => {
    const ids = async (body: string) => (await createFixture().prepare(body)).rejected.map(({ key }) => key)
    expect(await ids('[1]')).toEqual(await ids('[ 1 ]'))
    expect(await ids('[1]')).not.toEqual(await ids('[2]'))
    expect(await ids('{}')).toEqual(await ids('{}'))
  })

  it('keeps a body that is no array as a whole', async () => {
    const { events, rejected } = await createFixture().prepare('{"event":"open"}')
    expect(events).toEqual([])
    expect(rejected).toMatchObject([{ message: { scope: 'body', reason: 'not_an_array', source: 'main' } }])
    expect(rejected[0]?.bytes.toString()).toBe('{"event":"open"}')
  })

  it('keeps a record below what Kafka takes, and says how long the payload was', async () => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(3_000_000, 'a'), Buffer.from('"}')])
    const { rejected } = await createFixture().prepare(body)
    expect(rejected[0]?.bytes.length).toBe(700 * 1024)
    expect(rejected[0]?.message.detail).toMatch(/cut from 3000008 bytes with sha256 [0-9a-f]{64}/)
  })

  it('makes one rejection of a flood of them', async () => {
    const flood = Array.from({ length: 5000 }, () => 0)
    const { events, rejected } = await createFixture().prepare(JSON.stringify([event('a'), ...flood]))
    expect(events).toHaveLength(1)
    expect(rejected).toMatchObject([{ message: { scope: 'body', reason: 'schema' } }])
  })

  it('keeps the first of two events with one id, and counts a conflict only where they differ', async () => {
    const { prepare, count } = createFixture()
    const sameInOtherOrder = Object.fromEntries(Object.entries(event('a')).toReversed())
    const { events } = await prepare(
      JSON.stringify([event('a'), sameInOtherOrder, event('a', { ip: '1.2.3.4' })]),
    )
    expect(events.map(({ message }) => message.event)).toEqual([event('a')])
    expect(await count('repeated_total')).toBe(2)
    expect(await count('conflict_total')).toBe(1)
  })

  it('counts unknown types and fields, and bounds how many names of types are kept', async () => {
    const { prepare, count } = createFixture()
    const { events, countByType } = await prepare(
      JSON.stringify(
        Array.from({ length: 500 }, (_, index) => ({ ...event(`id${index}`), event: `new${index}` })),
      ),
    )
    expect(new Set(events.map(({ message }) => message.event.event)).size).toBe(101)
    expect(events[0]?.message).toMatchObject({ normalised: ['event'], event: { event: 'unknown:new0' } })
    expect(events[499]?.message.event.event).toBe('unknown:other')
    expect(Object.fromEntries(countByType)).toEqual({ unknown: 500 })
    expect(await count('unknown_event_types_total')).toBe(500)
    await prepare(JSON.stringify([event('f', { one: 1, two: 2 })]))
    expect(await count('unknown_fields_total')).toBe(2)
  })

  it('lets other work in between when a body holds 100,000 events', async () => {
    const body = JSON.stringify(Array.from({ length: 100_000 }, (_, index) => event(String(index))))
    let turns = 0
    let running = true
    const countTurns = () => {
      turns += 1
      if (running) setImmediate(countTurns)
    }
    setImmediate(countTurns)
    const { countByType } = await createPrepareMessages(createMetrics(() => 0))(
      source,
      Buffer.from(body),
      NOW_MS,
    )
    running = false
    expect(Object.fromEntries(countByType)).toEqual({ delivered: 100_000 })
    expect(turns).toBeGreaterThan(100)
  })
})

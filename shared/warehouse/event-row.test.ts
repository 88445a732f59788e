import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventMessageSchema, type EventMessage } from '#shared/domain/log-message.ts'
import { eventColumns, toEventRow } from './event-row.ts'
import { createRecipientPrivacy } from './recipient-privacy.ts'

const hashed = createRecipientPrivacy({
  data_directory: '/nonexistent',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})
const plain = createRecipientPrivacy({
  data_directory: '/nonexistent',
  privacy: { recipients: 'plain', hash_key: 'a key for tests' },
})
const position = { partition: 2, offset: 77 }

function aMessage(event: Record<string, unknown> = {}, message: Partial<EventMessage> = {}): EventMessage {
  return eventMessageSchema.parse({
    v: 1,
    key: 'orders',
    attribution: { rule: 'custom_arg' },
    source: 'main',
    received_at: 1_700_000_001_234,
    event: {
      event: 'processed',
      sg_event_id: 'id-1',
      timestamp: 1_700_000_000,
      email: 'Jane.Doe@Example.com',
      ...event,
    },
    ...message,
  })
}

describe('toEventRow', () => {
  it('puts known fields into columns and everything else into arguments', () => {
    const row = toEventRow(
      aMessage({
        event: 'bounce',
        type: 'blocked',
        'smtp-id': '<1@host>',
        category: ['a', 'b'],
        sg_template_id: 'd-1',
        pool: { name: 'pool-1', id: 3 },
        asm_group_id: 12,
        attempt: '5',
        api_key_id: 'orders',
        nested: { user: 'someone@example.org' },
      }),
      position,
      hashed,
    )
    expect(row).toMatchObject({
      source: 'main',
      key: 'orders',
      event: 'bounce',
      timestamp: 1_700_000_000,
      received_at: '2023-11-14 22:13:21.234',
      bounce_type: 'blocked',
      smtp_id: '<1@host>',
      categories: ['a', 'b'],
      template_id: 'd-1',
      pool: 'pool-1',
      asm_group_id: 12,
      attempt: 5,
      recipient_domain: 'example.com',
      recipient: '',
      log_partition: 2,
      log_offset: 77,
    })
    expect(JSON.parse(row.arguments)).toEqual({ api_key_id: 'orders', nested: { user: '***@example.org' } })
  })

  it('keeps a field whose type no column takes, and a type that is not a bounce, in arguments', () => {
    const row = toEventRow(aMessage({ url: { odd: 1 }, type: 'compliance', category: [1] }), position, hashed)
    expect(row.url).toBe('')
    expect(row.bounce_type).toBe('')
    expect(JSON.parse(row.arguments)).toEqual({ url: { odd: 1 }, type: 'compliance', category: [1] })
  })

  it('takes an id that is a number as its digits', () => {
    const row = toEventRow(aMessage({ marketing_campaign_id: 12_345 }), position, hashed)
    expect(row.marketing_campaign_id).toBe('12345')
    expect(row.arguments).not.toContain('12345')
  })

  it('hashes an address the same whatever its case, and differently under another key', () => {
    const hash = (address: string) =>
      toEventRow(aMessage({ email: address }), position, hashed).recipient_hash
    expect(hash('JANE@example.com')).toBe(hash('jane@EXAMPLE.com'))
    expect(hash('jane@example.com')).not.toBe(hash('john@example.com'))
    expect(toEventRow(aMessage({ email: '' }), position, hashed).recipient_hash).toBe('0')
  })

  it('stores the address itself only where the configuration asks for plain text', () => {
    expect(toEventRow(aMessage(), position, plain).recipient).toBe('Jane.Doe@Example.com')
    expect(JSON.stringify(toEventRow(aMessage(), position, hashed))).not.toMatch(/jane/i)
  })

  it('gives one shape to events with the same names in any order, and another to other names', () => {
    const shape = (event: Record<string, unknown>) => toEventRow(aMessage(event), position, hashed).shape
    expect(shape({ a: '1', b: '2' })).toBe(shape({ b: '3', a: '4' }))
    expect(shape({ a: '1' })).not.toBe(shape({ b: '1' }))
  })

  it('marks event types that are not documented, so that they cannot pose as known ones', () => {
    expect(toEventRow(aMessage({ event: 'teleported' }), position, hashed).event).toBe('unknown:teleported')
    expect(toEventRow(aMessage({ event: 'unknown:teleported' }), position, hashed).event).toBe(
      'unknown:teleported',
    )
  })

  it('bounds arguments and says how many names were left out', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`n${index}`, 'x'.repeat(8000)]))
    const row = toEventRow(aMessage(many), position, hashed)
    expect(row.arguments.length).toBeLessThan(66_000)
    expect(JSON.parse(row.arguments)).toMatchObject({ left_out: 32 })
  })

  it('makes a row that is within the bounds of every column, whatever the message holds', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => value !== null)
    const names = fc.constantFrom(
      ...eventColumns,
      'smtp-id',
      'category',
      'pool',
      'type',
      'email',
      '__proto__',
    )
    const fields = fc.dictionary(fc.oneof(names, fc.string({ unit: 'binary' })), fc.oneof(json, fc.string()))
    fc.assert(
      fc.property(fields, fc.double(), fc.integer(), (extra, number, timestamp) => {
        const message = aMessage({})
        const event = { ...message.event, ...extra, event: 'open', sg_event_id: 'i\ud800', timestamp }
        const row = toEventRow({ ...message, event: { ...event, attempt: number } }, position, hashed)
        expect(Object.keys(row)).toEqual([...eventColumns])
        expect(row.timestamp).toBeGreaterThanOrEqual(0)
        expect(row.timestamp).toBeLessThanOrEqual(4_294_967_295)
        expect(row.attempt).toBeLessThanOrEqual(65_535)
        expect(JSON.stringify(row)).not.toMatch(/\\ud[89a-f]/)
        expect(JSON.parse(row.arguments)).toBeTypeOf('object')
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import { EVENT_BYTES_MAX, eventTypes, fieldKinds, FIELDS_MAX, TEXT_BYTES_MAX } from './event-shape.ts'
import { isNormalEvent } from './is-normal-event.ts'
import { eventMessageSchema } from './log-message.ts'
import { normaliseEvent, rebuildEvent } from './normalise-event.ts'
import { findSchemaFault, sendgridEventSchema } from './sendgrid-event.ts'

const NOW_MS = 1_700_000_000_500
const NOW = 1_700_000_000
const LATEST = NOW + 86_400

const plain = { event: 'delivered', sg_event_id: 'ZGVsaXZlcmVk', timestamp: NOW, email: 'a@example.com' }

/** Parses as the webhook does, so that names such as `__proto__` arrive as SendGrid would send them. */
function normalise(json: string | object) {
  const element: unknown = JSON.parse(typeof json === 'string' ? json : JSON.stringify(json))
  const outcome = normaliseEvent(element, NOW_MS)
  if (outcome.kind === 'rejected') throw new Error(`rejected: ${outcome.reason}`)
  return outcome
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not text')
  return value
}

describe('normaliseEvent', () => {
  it('returns an ordinary event itself, untouched', () => {
    const element = { ...plain, category: ['a', 'b'], pool: { name: 'p', id: 1 }, my_argument: 'x', tls: 1 }
    const outcome = normaliseEvent(element, NOW_MS)
    expect(outcome).toEqual({ kind: 'event', event: element, normalised: [], unknownFields: 1 })
    expect(outcome.kind === 'event' && outcome.event).toBe(element)
  })

  it.each(eventTypes)('accepts %s', (event) => {
    expect(normalise({ ...plain, event })).toMatchObject({ normalised: [], event: { event } })
  })

  it('accepts account_status_change without recipient and message', () => {
    const event = { event: 'account_status_change', sg_event_id: 'x', timestamp: NOW, type: 'suspended' }
    expect(normalise(event)).toMatchObject({ normalised: [], event })
  })

  it.each([
    { name: 'seconds as text', timestamp: String(NOW), expected: NOW },
    { name: 'milliseconds', timestamp: NOW * 1000 + 999, expected: NOW },
    { name: 'milliseconds as text', timestamp: String(NOW * 1000), expected: NOW },
    { name: 'a fraction', timestamp: NOW - 0.5, expected: NOW - 1 },
    { name: 'text', timestamp: 'yesterday', expected: NOW },
    { name: 'a negative number', timestamp: -5, expected: NOW },
    { name: 'zero', timestamp: 0, expected: NOW },
    { name: 'the year 2100', timestamp: 4_102_444_800, expected: NOW },
    { name: 'the year 2008', timestamp: 1_230_767_999, expected: NOW },
    { name: 'more than a day ahead', timestamp: LATEST + 1, expected: NOW },
    { name: 'null', timestamp: null, expected: NOW },
    { name: 'nothing', timestamp: undefined, expected: NOW },
    { name: 'an object', timestamp: {}, expected: NOW },
  ])('takes $name as a timestamp and says that it was changed', ({ timestamp, expected }) => {
    expect(normalise({ ...plain, timestamp })).toMatchObject({
      event: { timestamp: expected },
      normalised: ['timestamp'],
    })
  })

  it.each([1_230_768_000, LATEST])('believes the timestamp %d', (timestamp) => {
    expect(normalise({ ...plain, timestamp })).toMatchObject({ event: { timestamp }, normalised: [] })
  })

  it.each([undefined, '', 'x'.repeat(5000), 5, ['a'], null, {}, 'with space', 'nul\0'])(
    'derives an id where SendGrid sent %j, the same one for the same event in any order',
    (id) => {
      const event = { ...plain, sg_event_id: id }
      const reordered = Object.fromEntries(Object.entries(event).toReversed())
      const first = normalise(event)
      expect(first.event.sg_event_id).toMatch(/^h:[0-9a-f]{64}$/)
      expect(first.normalised).toEqual(['sg_event_id'])
      expect(normalise(reordered).event.sg_event_id).toBe(first.event.sg_event_id)
      expect(normalise({ ...event, email: 'b@example.com' }).event.sg_event_id).not.toBe(
        first.event.sg_event_id,
      )
    },
  )

  it('derives the same id at a later arrival, although the time that stands in is another', () => {
    const event = { event: 'open', email: 'a@example.com' }
    const first = normaliseEvent(event, NOW_MS)
    const later = normaliseEvent(event, NOW_MS + 3_600_000)
    if (first.kind === 'rejected' || later.kind === 'rejected') throw new Error('both are events')
    expect(later.event.sg_event_id).toBe(first.event.sg_event_id)
  })

  it.each([
    { name: 'a lone surrogate', json: String.raw`"a\ud800b"`, expected: 'a\uFFFDb', changed: true },
    { name: 'NUL', json: String.raw`"a\u0000b"`, expected: 'a\0b', changed: false },
    {
      name: 'U+2028 and a direction mark',
      json: '"a\u2028\u202Eb"',
      expected: 'a\u2028\u202Eb',
      changed: false,
    },
    { name: 'a header line', json: String.raw`"a@b\r\nBcc: c"`, expected: 'a@b\r\nBcc: c', changed: false },
    { name: 'a number', json: '5', expected: '5', changed: true },
    { name: 'an object', json: '{"a":[1]}', expected: '{"a":[1]}', changed: true },
    { name: 'true', json: 'true', expected: 'true', changed: true },
  ])('keeps $name as the text of email', ({ json, expected, changed }) => {
    const outcome = normalise(`{"event":"open","sg_event_id":"x","timestamp":${NOW},"email":${json}}`)
    expect(outcome.event['email']).toBe(expected)
    expect(outcome.normalised).toEqual(changed ? ['email'] : [])
  })

  it('keeps an event without email', () => {
    expect(normalise({ ...plain, email: undefined })).toMatchObject({ normalised: [] })
  })

  it.each(['useragent', 'response', 'url', 'my_argument'])(
    'cuts a text of 1 MB in %s and keeps its hash',
    (name) => {
      const { event, normalised } = normalise({ ...plain, [name]: 'é'.repeat(500_000) })
      const text = textOf(event[name])
      expect(text).toMatch(/^é+…\[cut\] sha256:[0-9a-f]{64}$/)
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(TEXT_BYTES_MAX)
      expect(Buffer.byteLength(text)).toBeGreaterThan(TEXT_BYTES_MAX - 4)
      expect(normalised).toEqual([name === 'my_argument' ? 'arguments' : name])
    },
  )

  it('never cuts through a character', () => {
    const { event } = normalise({ ...plain, url: `x${'😀'.repeat(3000)}` })
    expect(textOf(event['url']).isWellFormed()).toBe(true)
  })

  it.each([
    { json: '1e999', integer: null, argument: null },
    { json: '9007199254740993', integer: Number.MAX_SAFE_INTEGER, argument: Number.MAX_SAFE_INTEGER },
    { json: '-9007199254740993', integer: Number.MIN_SAFE_INTEGER, argument: Number.MIN_SAFE_INTEGER },
    { json: '-0', integer: 0, argument: 0 },
    { json: '"5"', integer: 5, argument: '5' },
    { json: '1.5', integer: 1, argument: 1.5 },
    { json: '"five"', integer: null, argument: 'five' },
    { json: '[]', integer: null, argument: [] },
  ])('turns the number $json into what a column can hold', ({ json, integer, argument }) => {
    const { event, normalised } = normalise(
      `{"event":"open","sg_event_id":"x","timestamp":${NOW},"asm_group_id":${json},"mine":${json}}`,
    )
    expect(event['asm_group_id']).toBe(integer)
    expect(event['mine']).toEqual(argument)
    expect(normalised).toContain('asm_group_id')
    expect(normalised.includes('arguments')).toBe(
      (typeof argument !== 'object' && JSON.stringify(argument) !== json) || argument === null,
    )
  })

  it.each([
    { name: 'text', category: 'a', expected: 'a', changed: false },
    { name: 'a list', category: ['a', 'b'], expected: ['a', 'b'], changed: false },
    { name: 'a long text', category: 'a'.repeat(300), expected: 'a'.repeat(256), changed: true },
    {
      name: '10,000 items',
      category: Array.from({ length: 10_000 }, (_, index) => String(index)),
      expected: Array.from({ length: 20 }, (_, index) => String(index)),
      changed: true,
    },
    { name: 'objects', category: [{ a: 1 }, 7, null], expected: ['{"a":1}', '7', 'null'], changed: true },
  ])('takes $name as category', ({ category, expected, changed }) => {
    const outcome = normalise({ ...plain, category })
    expect(outcome.event['category']).toEqual(expected)
    expect(outcome.normalised).toEqual(changed ? ['category'] : [])
  })

  it.each([
    { type: 'invented', expected: 'unknown:invented' },
    { type: 'x'.repeat(500), expected: `unknown:${'x'.repeat(64)}` },
    { type: 'a\u0000\nb\u202E', expected: 'unknown:ab' },
    { type: 'constructor', expected: 'unknown:constructor' },
  ])('keeps an event of an unknown type as $expected', ({ type, expected }) => {
    expect(normalise({ ...plain, event: type })).toMatchObject({
      event: { event: expected },
      normalised: ['event'],
    })
  })

  it.each([{}, { event: '' }, { event: 5 }, { event: null }, { event: ['open'] }])(
    'rejects %j, which names no type',
    (element) => {
      expect(normaliseEvent({ sg_event_id: 'x', timestamp: NOW, ...element }, NOW_MS)).toMatchObject({
        kind: 'rejected',
        reason: 'schema',
      })
    },
  )

  it.each([null, 1, 'text', [], [plain], true])('rejects the element %j', (element) => {
    expect(normaliseEvent(element, NOW_MS)).toMatchObject({ kind: 'rejected', reason: 'not_an_object' })
  })

  it('rejects nesting beyond 32 levels at any depth, and keeps 32', () => {
    const nest = (levels: number) =>
      `{"event":"open","sg_event_id":"x","timestamp":${NOW},"deep":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(() => JSON.stringify(normalise(nest(31)))).not.toThrow()
    for (const levels of [32, 10_000, 1_000_000]) {
      expect(normaliseEvent(JSON.parse(nest(levels)), NOW_MS)).toMatchObject({ reason: 'too_deep' })
    }
  })

  it('keeps the names of object machinery as plain data', () => {
    const json = `{"event":"open","sg_event_id":"x","timestamp":"${NOW}","__proto__":{"polluted":1},"constructor":"c","hasOwnProperty":"h","nested":{"__proto__":{"polluted":2}}}`
    const { event } = normalise(json)
    const text = JSON.stringify(event)
    expect(text).toContain('"__proto__":{"polluted":1}')
    expect(text).toContain('"nested":{"__proto__":{"polluted":2}}')
    expect(text).toContain('"constructor":"c","hasOwnProperty":"h"')
    expect('polluted' in {}).toBe(false)
  })

  it('drops fields beyond the limit, custom arguments first, and says so', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`argument_${index}`, 'x']))
    const { event, normalised, unknownFields } = normalise({ ...many, ...plain, url: 'https://example.com' })
    expect(Object.keys(event)).toHaveLength(FIELDS_MAX)
    expect(event).toMatchObject({ ...plain, url: 'https://example.com' })
    expect(normalised).toEqual(['fields'])
    expect(unknownFields).toBe(100_000)
  })

  it('bounds the size of the whole event', () => {
    const large = Object.fromEntries(
      Array.from({ length: 190 }, (_, index) => [`a${index}`, '\0'.repeat(8000)]),
    )
    const { event, normalised } = normalise({ ...large, ...plain })
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(EVENT_BYTES_MAX)
    expect(event).toMatchObject(plain)
    expect(normalised).toContain('fields')
  })

  it('cuts long names, and the first of two that become alike wins', () => {
    const name = 'n'.repeat(256)
    const { event, normalised } = normalise({ ...plain, [`${name}1`]: 'first', [`${name}2`]: 'second' })
    expect(event[name]).toBe('first')
    expect(normalised).toEqual(['arguments', 'fields'])
  })
})

const odd = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('5', '', 'true', 'x'.repeat(300), 'x'.repeat(9000), 'a\ud800', '\0'),
  fc.double(),
  fc.constantFrom(0, -0, 1, NOW, NOW * 1000, LATEST + 5, 2 ** 53, Infinity, null, true, false),
  fc.jsonValue({ maxDepth: 3 }),
)
const anyEvent = fc
  .tuple(
    fc.record(
      {
        event: fc.constantFrom<unknown>(...eventTypes, 'new_type', '', 3),
        sg_event_id: fc.constantFrom<unknown>('aWQ', 'aWQ', 'aWQ', 'x'.repeat(201), '', 4),
        timestamp: fc.constantFrom<unknown>(NOW, NOW, LATEST, String(NOW), NOW * 1000, -1),
      },
      { requiredKeys: ['event'] },
    ),
    fc.dictionary(
      fc.constantFrom(...fieldKinds.keys(), '__proto__', 'argument', 'toString', 'a\ud800'),
      odd,
      {
        maxKeys: 12,
      },
    ),
  )
  .map(([required, fields]): { [name: string]: unknown } => ({ ...fields, ...required }))

describe('the quick check', () => {
  it('says yes only to what the thorough way leaves as it is and the schema accepts', () => {
    let normal = 0
    fc.assert(
      fc.property(anyEvent, (event) => {
        const tally = { unknownFields: 0 }
        if (!isNormalEvent(event, LATEST, tally)) return
        normal += 1
        const thorough = rebuildEvent(event, NOW_MS)
        if (thorough.kind === 'rejected') throw new Error(thorough.detail)
        expect(thorough.normalised).toEqual([])
        expect(thorough.unknownFields).toBe(tally.unknownFields)
        expect(canonicalJson(thorough.event)).toBe(canonicalJson(event))
        expect(findSchemaFault(event)).toBeUndefined()
      }),
      { numRuns: 5000, seed: 3 },
    )
    // The property is empty unless a good part of the events is ordinary.
    expect(normal).toBeGreaterThan(100)
  })

  it('says yes to whatever the thorough way made, unknown types and deep values apart', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const outcome = rebuildEvent(event, NOW_MS)
        if (outcome.kind === 'rejected') return
        const again = rebuildEvent(outcome.event, NOW_MS)
        if (again.kind === 'rejected') throw new Error(again.detail)
        expect(again.normalised.filter((name) => name !== 'event')).toEqual([])
      }),
      { numRuns: 2000, seed: 4 },
    )
  })
})

describe('any event at all', () => {
  it('becomes a message that serialises, satisfies the contract and every schema, or is rejected', () => {
    fc.assert(
      fc.property(fc.oneof(anyEvent, fc.jsonValue()), (element) => {
        const outcome = normaliseEvent(element, NOW_MS)
        if (outcome.kind === 'rejected') return outcome.detail.length <= 500
        const text = JSON.stringify({
          v: 1,
          key: 'k',
          attribution: { rule: 'unattributed' },
          source: 's',
          received_at: NOW_MS,
          event: outcome.event,
        })
        expect(text.includes('\\ud')).toBe(false)
        expect(eventMessageSchema.safeParse(JSON.parse(text)).success).toBe(true)
        expect(sendgridEventSchema.safeParse(outcome.event).success).toBe(true)
        return true
      }),
      { numRuns: 3000, seed: 5 },
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fingerprintOf, valueKind } from './event-fingerprint.ts'

const own = { event: 'processed', sg_event_id: 'a', timestamp: 1, email: 'jane@a.org', category: 'receipts' }
const fingerprint = (event: Record<string, unknown>) => fingerprintOf(event).fingerprint

describe('fingerprintOf', () => {
  it('is the same for the same names and kinds, whatever the values and their order', () => {
    expect(fingerprint({ ...own, order: '1234', tenant: 'north' })).toBe(
      fingerprint({ tenant: 'south', order: '99', ...own }),
    )
  })

  it('differs when a custom argument has another kind of value, where the shape does not', () => {
    const right = fingerprintOf({ ...own, order: '3c1f6a9e-0000-4000-8000-0123456789ab' })
    const wrong = fingerprintOf({ ...own, order: 'test' })
    expect(right.shape).toBe(wrong.shape)
    expect(right.fingerprint).not.toBe(wrong.fingerprint)
  })

  it("takes SendGrid's own fields by their presence alone", () => {
    expect(fingerprint({ ...own, category: ['receipts', 'eu'], ip: '192.0.2.1' })).toBe(
      fingerprint({ ...own, category: 'receipts', ip: '' }),
    )
    expect(fingerprint(own)).not.toBe(fingerprint({ ...own, sg_template_id: 'd-1' }))
  })

  it('answers the same whatever came before', () => {
    const event = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }))
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), event, (others, one) => {
        const before = { ...fingerprintOf(one) }
        for (const other of others) fingerprintOf(other)
        expect(fingerprintOf({ ...one })).toEqual(before)
      }),
    )
  })

  it('keeps answering the same beyond its memory', () => {
    const before = { ...fingerprintOf(own) }
    for (let index = 0; index < 25_000; index++) fingerprintOf({ [`name-${index}`]: 1 })
    expect(fingerprintOf(own)).toEqual(before)
  })
})

describe('valueKind', () => {
  it.each([
    ['1234', 'digits'],
    ['3c1f6a9e-1b2c-4d3e-8f90-0123456789AB', 'uuid'],
    ['5f1d7a8c9b0e4f2a', 'hex'],
    ['1234567890123456', 'hex'],
    ['deadbeef', 'text'],
    ['receipts', 'text'],
    ['2026-01-01', 'text'],
    ['', 'empty'],
    [null, 'empty'],
    [3.5, 'number'],
    [false, 'boolean'],
    [['a'], 'list'],
    [{ a: 1 }, 'object'],
  ])('calls %j %s', (value, kind) => {
    expect(valueKind(value)).toBe(kind)
  })
})

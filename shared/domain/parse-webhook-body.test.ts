import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elementBytes, parseWebhookBody } from './parse-webhook-body.ts'

const bytes = (text: string) => Buffer.from(text)

describe('parseWebhookBody', () => {
  it.each([
    { name: 'no bytes', body: bytes(''), reason: 'invalid_json' },
    { name: 'plain text', body: bytes('someone@example.com'), reason: 'invalid_json' },
    { name: 'a cut array', body: bytes('[{"a":1},'), reason: 'invalid_json' },
    { name: 'a byte order mark', body: bytes('\uFEFF[]'), reason: 'invalid_json' },
    { name: 'an object', body: bytes('{"event":"open"}'), reason: 'not_an_array' },
    { name: 'null', body: bytes('null'), reason: 'not_an_array' },
    {
      name: 'wrong UTF-8',
      body: Buffer.concat([bytes('["'), Buffer.of(0xff), bytes('"]')]),
      reason: 'invalid_utf8',
    },
    { name: 'UTF-16', body: Buffer.from('[]', 'utf16le'), reason: 'invalid_json' },
    {
      name: 'a surrogate in bytes',
      body: Buffer.concat([bytes('["'), Buffer.of(0xed, 0xa0, 0x80), bytes('"]')]),
      reason: 'invalid_utf8',
    },
  ])('rejects $name and repeats nothing of it', ({ body, reason }) => {
    const parsed = parseWebhookBody(body)
    expect(parsed).toMatchObject({ kind: 'rejected', reason })
    expect(JSON.stringify(parsed)).not.toContain('example.com')
  })

  it('reads an array, the last of two equal names, and the line ends that SendGrid adds', () => {
    expect(parseWebhookBody(bytes('[{"a":1,"a":2},\r\n{"b":3}]\r\n'))).toEqual({
      kind: 'elements',
      elements: [{ a: 2 }, { b: 3 }],
    })
    expect(parseWebhookBody(bytes('[]'))).toEqual({ kind: 'elements', elements: [] })
  })
})

describe('elementBytes', () => {
  it('gives each element as it came, byte for byte', () => {
    const body = bytes(' [ {"a":"]},\\"[" , "b":1} ,\r\n 5,[1,[2]] , "x,\\\\" ,null ] \r\n')
    expect([...elementBytes(body)].map((element) => Buffer.from(element).toString())).toEqual([
      '{"a":"]},\\"[" , "b":1}',
      '5',
      '[1,[2]]',
      '"x,\\\\"',
      'null',
    ])
  })

  it('finds as many elements as the parser, each with the same value', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2), (values, indent) => {
        const parts = [...elementBytes(bytes(JSON.stringify(values, null, indent)))]
        expect(parts.map((part): unknown => JSON.parse(Buffer.from(part).toString()))).toEqual(
          JSON.parse(JSON.stringify(values)),
        )
      }),
      { numRuns: 500, seed: 7 },
    )
  })

  it('is not stopped by a million levels', () => {
    const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
    expect([...elementBytes(bytes(`[${deep},1]`))].map((element) => element.length)).toEqual([2_000_000, 1])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isUsualMessage } from './is-usual-message.ts'
import { eventMessageSchema } from './log-message.ts'

/** As it stands in the log: keys that only JSON can have, and numbers that only JSON can write. */
const usual = `{"v":1,"key":"orders","attribution":{"rule":"custom_arg","detail":"api_key_id"},"source":"main",
  "received_at":1790000000123,"normalised":["url"],"event":{"event":"processed","sg_event_id":"id","timestamp":1790000000,
  "email":"jane@example.org","category":["a","b"],"pool":{"name":"batch","id":3},"send_at":0,"tls":null,"open":true}}`

const odd = fc.oneof(
  fc.constantFrom(
    '1e999',
    '-1e999',
    '-0',
    '1.5',
    '9007199254740993',
    '""',
    '"x"',
    'null',
    'true',
    '{}',
    '[]',
  ),
  fc.constantFrom(
    '{"__proto__":1}',
    '[1e999]',
    '{"a":{"b":{"c":1}}}',
    '[[[1]]]',
    '{"rule":"source"}',
    '{"rule":"no"}',
  ),
  fc.constantFrom('["url",1]', '{"event":"e","sg_event_id":"i","timestamp":1}', '1', '0', '-1'),
  fc.json(),
)
const paths = [
  ...['v', 'key', 'attribution', 'source', 'received_at', 'normalised', 'event', 'more'].map((name) => [
    name,
  ]),
  ...['event', 'sg_event_id', 'timestamp', 'email', 'pool', '__proto__', '7', 'more'].map((name) => [
    'event',
    name,
  ]),
  ...['rule', 'detail', 'more'].map((name) => ['attribution', name]),
]

/** The text of the object with one member set to a JSON text, or left out. */
function withMember(text: string, path: readonly string[], value: string | undefined): string {
  const [name = '', ...inner] = path
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return text
  const members = Object.entries(parsed).map(([key, member]) => [key, JSON.stringify(member)] as const)
  const before = members.find(([key]) => key === name)?.[1] ?? '{}'
  const after = inner.length > 0 ? withMember(before, inner, value) : value
  const others = members.filter(([key]) => key !== name)
  const all = after === undefined ? others : [...others, [name, after] as const]
  return `{${all.map(([key, member]) => `${JSON.stringify(key)}:${member}`).join(',')}}`
}

describe('isUsualMessage', () => {
  it('says yes to what ingest writes', () => {
    expect(isUsualMessage(JSON.parse(usual))).toBe(true)
  })

  it('says yes only to what the schema accepts, with every field as the schema returns it', () => {
    let accepted = 0
    let refused = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...paths), fc.option(odd, { nil: undefined })), { maxLength: 3 }),
        (changes) => {
          const text = changes.reduce((made, [path, value]) => withMember(made, path, value), usual)
          const message: unknown = JSON.parse(text)
          if (!isUsualMessage(message)) {
            refused += 1
            return
          }
          accepted += 1
          const parsed = eventMessageSchema.parse(JSON.parse(text))
          // The schema drops members that it does not name, beside the event; nobody reads them.
          const { v, key, source, received_at, normalised, event } = message
          const { rule, detail } = message.attribution
          expect({
            v,
            key,
            source,
            received_at,
            event,
            ...(normalised === undefined ? {} : { normalised }),
            attribution: { rule, ...(detail === undefined ? {} : { detail }) },
          }).toEqual(parsed)
          expect(Object.keys(event).sort()).toEqual(Object.keys(parsed.event).sort())
        },
      ),
      { numRuns: 3000, seed: 1 },
    )
    expect(accepted).toBeGreaterThan(300)
    expect(refused).toBeGreaterThan(300)
  })
})

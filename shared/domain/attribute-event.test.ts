import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attributionRulesFor, createAttributor } from './attribute-event.ts'
import { defaultAttributionRules, type AttributionRule } from './attribution-rule.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const unattributed = { key: 'unattributed', attribution: { rule: 'unattributed' } }

type Row = {
  name: string
  rules: readonly AttributionRule[]
  event: { [name: string]: unknown }
  key: string
  rule: string
  detail?: string
}

const domains: readonly AttributionRule[] = [
  { sender_domain: { 'example.com': 'web', 'mail.example.com': 'mailer', 'Shop.Example.org': 'shop' } },
]

const matching: Row[] = [
  {
    name: 'a custom argument of any name',
    rules: [{ custom_arg: 'my_key' }],
    event: { my_key: 'billing' },
    key: 'billing',
    rule: 'custom_arg',
    detail: 'my_key',
  },
  {
    name: 'a custom argument that is a number',
    rules: [{ custom_arg: 'my_key' }],
    event: { my_key: 12 },
    key: '12',
    rule: 'custom_arg',
    detail: 'my_key',
  },
  {
    name: 'the first category with the prefix',
    rules: defaultAttributionRules,
    event: { category: ['newsletter', 'key:weekly', 'key:other'] },
    key: 'weekly',
    rule: 'category_prefix',
    detail: 'key:weekly',
  },
  {
    name: 'a category that is one text',
    rules: defaultAttributionRules,
    event: { category: 'key:weekly' },
    key: 'weekly',
    rule: 'category_prefix',
    detail: 'key:weekly',
  },
  {
    name: 'the custom argument before the category, as the chain has it',
    rules: defaultAttributionRules,
    event: { category: 'key:weekly', api_key_id: 'billing' },
    key: 'billing',
    rule: 'custom_arg',
    detail: 'api_key_id',
  },
  {
    name: 'the next rule where the first has nothing to go by',
    rules: [{ custom_arg: 'a' }, { custom_arg: 'b' }],
    event: { a: '  ', b: 'x' },
    key: 'x',
    rule: 'custom_arg',
    detail: 'b',
  },
  { name: 'the source', rules: [{ source: true }], event: {}, key: 'shop', rule: 'source' },
  {
    name: 'the domain of from, the closest rule first',
    rules: domains,
    event: { from: 'Bot <bot@eu.mail.example.com>', 'smtp-id': '<1@shop.example.org>' },
    key: 'mailer',
    rule: 'sender_domain',
    detail: 'mail.example.com',
  },
  {
    name: 'the host of smtp-id where from is absent',
    rules: domains,
    event: { 'smtp-id': '<14c5d75ce93.dfd.64b469@SHOP.example.org>' },
    key: 'shop',
    rule: 'sender_domain',
    detail: 'shop.example.org',
  },
  {
    name: 'the template of a send',
    rules: [{ template: { 'd-1': 'receipts' } }],
    event: { sg_template_id: 'd-1' },
    key: 'receipts',
    rule: 'template',
    detail: 'd-1',
  },
  {
    name: 'the template of a campaign',
    rules: [{ template: { 'd-1': 'receipts' } }],
    event: { sg_template_id: 'd-2', template_id: 'd-1' },
    key: 'receipts',
    rule: 'template',
    detail: 'd-1',
  },
  {
    name: 'the pool',
    rules: [{ pool: { bulk: 'newsletter' } }],
    event: { pool: { name: 'bulk', id: 3 } },
    key: 'newsletter',
    rule: 'pool',
    detail: 'bulk',
  },
  {
    name: 'the campaign by number',
    rules: [{ marketing_campaign: { 12345: 'spring' } }],
    event: { marketing_campaign_id: 12345 },
    key: 'spring',
    rule: 'marketing_campaign',
    detail: '12345',
  },
  {
    name: 'the campaign by single send',
    rules: [{ marketing_campaign: { 'a-b-c': 'spring' } }],
    event: { singlesend_id: 'a-b-c' },
    key: 'spring',
    rule: 'marketing_campaign',
    detail: 'a-b-c',
  },
  ...['processed-19942112-qNwBLgPQQjW6DJvKQwSAbw-0', 'bounce-0-19942112-qNwBLg-0'].map((text) => ({
    name: `the account in the id ${text}`,
    rules: [{ account_from_event_id: true }] as const,
    event: { sg_event_id: base64(text) },
    key: 'account:19942112',
    rule: 'account_from_event_id',
    detail: '19942112',
  })),
]

const notMatching: Omit<Row, 'key' | 'rule'>[] = [
  { name: 'no rule', rules: [], event: { api_key_id: 'x' } },
  { name: 'no argument', rules: defaultAttributionRules, event: {} },
  ...['unattributed', 'overflow', '*', 'Overflow', ' unattributed\n', '', '\u200B', 'over\u200Bflow'].map(
    (claim) => ({
      name: `the claim ${JSON.stringify(claim)}`,
      rules: defaultAttributionRules,
      event: { api_key_id: claim, category: `key:${claim}` },
    }),
  ),
  { name: 'an argument that is no text', rules: defaultAttributionRules, event: { api_key_id: { a: 1 } } },
  {
    name: 'a category without the prefix',
    rules: defaultAttributionRules,
    event: { category: ['weekly', 'Key:x'] },
  },
  {
    name: 'an inherited name',
    rules: [{ custom_arg: 'constructor' }, { custom_arg: 'toString' }],
    event: {},
  },
  {
    name: 'a template that no rule names',
    rules: [{ template: { a: 'b' } }],
    event: { sg_template_id: 'toString' },
  },
  {
    name: 'another domain',
    rules: domains,
    event: { from: 'a@badexample.com', 'smtp-id': '<1@example.net>' },
  },
  {
    name: 'a message id of SendGrid',
    rules: domains,
    event: { 'smtp-id': '<x@ismtpd0039p1iad1.sendgrid.net>' },
  },
  { name: 'no address', rules: domains, event: { from: 'example.com', 'smtp-id': 5 } },
  { name: 'an opaque id', rules: [{ account_from_event_id: true }], event: { sg_event_id: 'sg_event_id' } },
  { name: 'no id', rules: [{ account_from_event_id: true }], event: {} },
]

describe('createAttributor', () => {
  it.each(matching)('goes by $name', ({ rules, event, key, rule, detail }) => {
    const attribution = detail === undefined ? { rule } : { rule, detail }
    expect(createAttributor({ source: 'shop', rules })(event)).toEqual({ key, attribution })
  })

  it.each(notMatching)('finds no key with $name', ({ rules, event }) => {
    expect(createAttributor({ source: 'shop', rules })(event)).toEqual(unattributed)
  })

  it.each([
    { claim: '  billing\t', key: 'billing' },
    { claim: 'bil\u0000l\u202Eing', key: 'billing' },
    { claim: 'x'.repeat(500), key: 'x'.repeat(128) },
    { claim: `${'x'.repeat(127)}😀`, key: 'x'.repeat(127) },
    { claim: 'a\ud800', key: 'a\uFFFD' },
    { claim: 'Größe 3', key: 'Größe 3' },
  ])('cleans the claim $claim', ({ claim, key }) => {
    expect(createAttributor({ source: 's', rules: defaultAttributionRules })({ api_key_id: claim }).key).toBe(
      key,
    )
  })

  it('answers with the declared key of a source', () => {
    expect(createAttributor({ source: 's', key: 'payroll', rules: [{ source: true }] })({}).key).toBe(
      'payroll',
    )
  })

  it.each(['overflow', 'UNATTRIBUTED', '*', ' '])('refuses the configured key %j', (key) => {
    const refused = expect.objectContaining({ code: 'CONFIG_INVALID' })
    expect(() => createAttributor({ source: 's', key, rules: [{ source: true }] })).toThrow(refused)
    expect(() => createAttributor({ source: 's', rules: [{ pool: { a: key } }] })).toThrow(refused)
  })

  it.each([
    ['billing\u034f', 'billing'],
    ['bill\u3164ing\ufe0f\u180b', 'billing'],
    ['\u2800billing\u115f', 'billing'],
    ['unattributed\u034f', 'unattributed'],
    ['\uff35nattributed', 'unattributed'],
    ['\uff4fverflow', 'unattributed'],
    ['\u2800\u3164', 'unattributed'],
  ])('does not let the claim %j read like another name', (claim, key) => {
    const attribute = createAttributor({ source: 's', rules: [{ custom_arg: 'k' }] })
    expect(attribute({ k: claim }).key).toBe(key)
  })

  it('names a key that is bounded, well-formed and never reserved, whatever is claimed', () => {
    const attribute = createAttributor({ source: 's', rules: [{ custom_arg: 'k' }] })
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (claim) => {
        const { key, attribution } = attribute({ k: claim })
        expect(key.length).toBeGreaterThan(0)
        expect(key.length).toBeLessThanOrEqual(128)
        expect(key.isWellFormed()).toBe(true)
        expect(key).not.toMatch(/\p{Cc}/u)
        expect(key === 'unattributed').toBe(attribution.rule === 'unattributed')
        expect(['overflow', '*']).not.toContain(key)
        expect(attribute({ k: key }).key).toBe(key)
      }),
      { numRuns: 2000, seed: 6 },
    )
  })
})

describe('attributionRulesFor', () => {
  const own: readonly AttributionRule[] = [{ custom_arg: 'own' }]
  it('prefers the rules of the source, then its declared key, then the general rules', () => {
    expect(attributionRulesFor({ attribution: own, key: 'k' }, defaultAttributionRules)).toEqual(own)
    expect(attributionRulesFor({ key: 'k' }, defaultAttributionRules)).toEqual([{ source: true }])
    expect(attributionRulesFor({}, defaultAttributionRules)).toEqual(defaultAttributionRules)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { factsOf, linkHostOf, senderHostOf } from './engine-facts.ts'
import { toEventRow } from './event-row.ts'
import { createRecipientPrivacy } from './recipient-privacy.ts'

const privacy = createRecipientPrivacy({
  data_directory: '.',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})

function rowOf(event: Record<string, string | boolean | string[]>) {
  const given = { event: 'click', sg_event_id: 'id', timestamp: 1_790_000_000, ...event }
  const attribution = { rule: 'source' } as const
  const message = { v: 1, key: 'k', attribution, source: 'main', received_at: 0, event: given } as const
  return toEventRow(message, { partition: 0, offset: 0 }, privacy)
}

describe('factsOf', () => {
  it('takes from a row what the engine learns from', () => {
    const row = rowOf({
      email: 'Jane@Example.com',
      'smtp-id': '<1.2@Mail-07.example.com>',
      category: ['b', 'a'],
      sg_template_id: 'd-1',
      pool: 'main',
      marketing_campaign_id: '77',
      url: 'https://evil.example/login?e=jane@example.com',
      bounce_classification: 'Invalid Address',
      sg_machine_open: true,
    })
    expect(factsOf(row)).toEqual({
      recipient: Number(BigInt(row.recipient_hash) & 0xffffffffn),
      recipientDomain: 'example.com',
      fingerprint: row.fingerprint,
      senderHost: 'mail-#.example.com',
      template: 'd-1',
      categories: 'a, b',
      pool: 'main',
      campaign: '77',
      linkHost: 'evil.example',
      bounceClass: 'Invalid Address',
      machineOpen: true,
    })
  })

  it('says nothing where the event says nothing', () => {
    expect(factsOf(rowOf({}))).toMatchObject({
      recipient: 0,
      recipientDomain: '',
      senderHost: '',
      template: '',
      categories: '',
      linkHost: '',
    })
  })

  it('takes the low 32 bits of any hash', () => {
    const row = rowOf({})
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (hash) => {
        expect(factsOf({ ...row, recipient_hash: hash.toString() }).recipient).toBe(
          Number(hash & 0xffffffffn),
        )
      }),
    )
  })
})

describe('senderHostOf', () => {
  it.each([
    ['<abc@geopod-ismtpd-17>', 'geopod-ismtpd-#'],
    ['<a@b@Host1.Example>', 'host#.example'],
    ['no host', ''],
  ])('reads %s', (smtpId, host) => {
    expect(senderHostOf(smtpId)).toBe(host)
  })
})

describe('linkHostOf', () => {
  it.each([
    ['https://User:pw@Shop.Example:8443/a?b#c', 'shop.example'],
    ['http://a.io?x=https://b.io', 'a.io'],
    ['//a.io/x', 'a.io'],
    ['https://[2001:DB8::1]/x', '[2001:db8::1]'],
    ['mailto:***@a.io', ''],
    ['not a link', ''],
  ])('reads %s', (link, host) => {
    expect(linkHostOf(link)).toBe(host)
  })
})

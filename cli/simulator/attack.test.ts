import { describe, expect, it } from 'vitest'
import { victimOf, type AttackPlan } from './attack.ts'
import { createMessageMaker } from './event-message.ts'
import { generateEvents } from './event-stream.ts'
import { defaultFleet } from './fleet.ts'
import { planLive } from './scenarios/plan-live.ts'
import { configSchema } from '#shared/config/config.ts'

const FROM_MS = Date.UTC(2026, 2, 4, 22)
const HOUR_MS = 3_600_000
const plan = (key: string): AttackPlan => ({
  attack: 'stolen-key',
  key,
  fromMs: FROM_MS,
  durationMs: 300_000,
})
const theftOf = (key: string) =>
  planLive({ seed: 1, rate: 1, startMs: FROM_MS, theft: plan(key), scenarios: undefined })
const sent = (key: string) => {
  const { profiles } = theftOf(key)
  return [
    ...generateEvents({ profiles, seed: 1, rate: 1, fromMs: FROM_MS - HOUR_MS, toMs: FROM_MS + HOUR_MS }),
  ]
}
const attributedTo = createMessageMaker(configSchema.parse({}))

describe('the theft of the billing key', () => {
  const events = sent('billing-invoices')
  const stolen = events.filter(({ scenario }) => scenario === 'stolen-key')

  it('is a burst of 4 to 8 messages a second for as long as planned', () => {
    const messages = stolen.filter(({ event }) => event.event === 'processed' || event.event === 'dropped')
    expect(messages.length).toBeGreaterThan(4 * 300)
    expect(messages.length).toBeLessThan(8 * 300)
    expect(messages.every(({ atMs }) => atMs >= FROM_MS && atMs < FROM_MS + 300_000)).toBe(true)
  })

  it('belongs to the key whose source it is, without anything that the owner puts on a message', () => {
    expect(new Set(stolen.map((event) => attributedTo(event).key))).toEqual(new Set(['billing-invoices']))
    const own = ['invoice_id', 'tenant', 'category', 'sg_template_id', 'pool']
    expect(stolen.filter(({ event }) => own.some((name) => name in event))).toEqual([])
  })

  it('bounces, is dropped and complained about far more than usual, and leads elsewhere', () => {
    const share = (type: string) => stolen.filter(({ event }) => event.event === type).length / 1800
    expect(share('bounce')).toBeGreaterThan(0.08)
    expect(share('dropped')).toBeGreaterThan(0.02)
    expect(share('spamreport')).toBeGreaterThan(0.005)
    const hosts = stolen.flatMap(({ event: { url } }) => (typeof url === 'string' ? [new URL(url).host] : []))
    expect(new Set(hosts)).toEqual(new Set(['acme-secure-login.example']))
  })

  it('changes nothing about the traffic of the owners', () => {
    const other = sent('orders-web').filter(({ scenario }) => scenario === undefined)
    expect(events.filter(({ scenario }) => scenario === undefined)).toEqual(other)
  })

  it('is labelled with exactly its messages', () => {
    const [label] = theftOf('billing-invoices').labels
    expect(label).toMatchObject({
      kind: 'attack',
      attack: 'stolen-key',
      family: 'sender',
      source: 'billing',
      attributed_as: 'billing-invoices',
      key: 'billing-invoices',
      started_at: '2026-03-04T22:00:00.000Z',
      ended_at: '2026-03-04T22:05:00.000Z',
    })
    expect(new Set(label?.message_ids)).toEqual(new Set(stolen.map(({ event }) => event.sg_message_id)))
    expect(label?.messages).toBe(label?.message_ids.length)
  })
})

describe('the theft of a key of the main account', () => {
  it('names no key, so that its events are unattributed', () => {
    const stolen = sent('orders-web').filter(({ scenario }) => scenario === 'stolen-key')
    expect(stolen.length).toBeGreaterThan(2000)
    expect(new Set(stolen.map((event) => attributedTo(event).key))).toEqual(new Set(['unattributed']))
  })
})

it('refuses a key that the fleet does not have, and names those it has', () => {
  expect(() => victimOf(defaultFleet, 'no-such-key')).toThrow(/no-such-key.*orders-web/)
})

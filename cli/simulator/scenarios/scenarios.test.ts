import { describe, expect, it, vi } from 'vitest'
import { generateEvents, type SimulatedEvent } from '../event-stream.ts'
import type { Fleet } from './compose-fleet.ts'
import { generateFleet } from './generate-fleet.ts'
import { DAY_MS } from './local-time.ts'

// Whole histories are generated here; a busy machine needs its time.
vi.setConfig({ testTimeout: 60_000 })

const SEED = 7
const HOUR_MS = 3_600_000
/** A fleet with one scenario in it. */
function withOnly(kind: 'attack' | 'benign', name: string, keys = 24) {
  const names = kind === 'attack' ? { attacks: [name], lookAlikes: [] } : { attacks: [], lookAlikes: [name] }
  const fleet = generateFleet({ seed: SEED, keys, weeks: 8, startMs: Date.UTC(2025, 8, 8), ...names })
  const [label] = fleet.labels
  if (label === undefined) throw new Error(`${name} found no room`)
  const [fromMs, toMs] = [Date.parse(label.started_at), Date.parse(label.ended_at)]
  return { fleet, label, fromMs, toMs }
}
function eventsOf(
  fleet: Fleet,
  range: { readonly fromMs: number; readonly toMs: number; readonly key?: string },
) {
  const { fromMs, toMs, key } = range
  const profiles = fleet.profiles.filter(({ name }) => key === undefined || name === key)
  return [...generateEvents({ profiles, seed: SEED, rate: 1, fromMs, toMs })]
}
const isMessage = ({ event }: SimulatedEvent<string>) =>
  event.event === 'processed' || event.event === 'dropped'
const isScenario = ({ scenario }: SimulatedEvent<string>) => scenario !== undefined
const count = (events: readonly SimulatedEvent<string>[], type: string) =>
  events.filter(({ event }) => event.event === type).length
const domainOf = ({ event: { email } }: SimulatedEvent<string>) =>
  typeof email === 'string' ? email.split('@')[1] : undefined
const domains = (events: readonly SimulatedEvent<string>[]) => new Set(events.map(domainOf))

describe('attacks', () => {
  it('mix-shift: nothing but the thief sends, about as much as usual, to other domains', () => {
    const { fleet, label, fromMs, toMs } = withOnly('attack', 'mix-shift')
    const meanwhile = eventsOf(fleet, { fromMs, toMs, key: label.key }).filter(isMessage)
    expect(meanwhile.filter((event) => !isScenario(event))).toEqual([])
    const before = [7, 14, 21].map((days) =>
      eventsOf(fleet, { fromMs: fromMs - days * DAY_MS, toMs: toMs - days * DAY_MS, key: label.key }).filter(
        isMessage,
      ),
    )
    const usual = before.flat().length / before.length
    expect(meanwhile.length / usual).toBeGreaterThan(0.5)
    expect(meanwhile.length / usual).toBeLessThan(2)
    const known = domains(before.flat())
    const strange = meanwhile.filter((event) => !known.has(domainOf(event)))
    expect(strange.length).toBeGreaterThan(0.1 * meanwhile.length)
  })

  it('ramp-hourly: each hour has about twice the messages of the one before', () => {
    const { fleet, label, fromMs, toMs } = withOnly('attack', 'ramp-hourly')
    const stolen = eventsOf(fleet, { fromMs, toMs, key: label.key }).filter(isScenario).filter(isMessage)
    /** Messages in the hour that ended so many hours before the end. */
    const hourBeforeEnd = (hours: number) =>
      stolen.filter(({ atMs }) => Math.floor((toMs - atMs) / HOUR_MS) === hours).length
    expect(hourBeforeEnd(0) / hourBeforeEnd(1)).toBeGreaterThan(1.3)
    expect(hourBeforeEnd(0) / hourBeforeEnd(2)).toBeGreaterThan(2)
    expect(hourBeforeEnd(0)).toBeGreaterThan(0.35 * stolen.length)
  })

  it('bounce-storm: a quarter of the messages or more bounces; the names of all fields are the owner’s', () => {
    const { fleet, label, fromMs, toMs } = withOnly('attack', 'bounce-storm')
    const events = eventsOf(fleet, { fromMs: fromMs - 7 * DAY_MS, toMs: toMs + HOUR_MS, key: label.key })
    const stolen = events.filter(isScenario)
    expect(count(stolen, 'bounce') / label.messages).toBeGreaterThan(0.2)
    const names = (of: readonly SimulatedEvent<string>[]) =>
      new Set(
        of
          .filter(({ event }) => event.event === 'processed')
          .map(({ event }) => Object.keys(event).toSorted().join()),
      )
    const own = names(events.filter((event) => !isScenario(event)))
    expect([...names(stolen)].filter((shape) => !own.has(shape))).toEqual([])
  })

  it('phishing-links: only clicks lead where the owner never leads', () => {
    const { fleet, label, fromMs, toMs } = withOnly('attack', 'phishing-links')
    const events = eventsOf(fleet, { fromMs: fromMs - 7 * DAY_MS, toMs, key: label.key })
    const hosts = (of: readonly SimulatedEvent<string>[]) =>
      new Set(of.flatMap(({ event: { url } }) => (typeof url === 'string' ? [new URL(url).host] : [])))
    const own = hosts(events.filter((event) => !isScenario(event)))
    expect([...hosts(events.filter(isScenario))].filter((host) => !own.has(host)).length).toBeGreaterThan(0)
  })

  it.each(['dormant-key', 'retired-key'])('%s: the owner has been silent for more than two weeks', (name) => {
    const { fleet, label, fromMs } = withOnly('attack', name)
    const before = eventsOf(fleet, { fromMs: fleet.startMs, toMs: fromMs, key: label.key }).filter(isMessage)
    expect(before.length).toBeGreaterThan(0)
    expect(before.at(-1)?.atMs).toBeLessThan(fromMs - 15 * DAY_MS)
    expect(fleet.retired.map(({ key }) => key)).toEqual(name === 'retired-key' ? [label.key] : [])
  })

  it('silenced-webhook: nothing of the source happens to be seen meanwhile', () => {
    const { fleet, label, fromMs, toMs } = withOnly('attack', 'silenced-webhook', 6)
    let before = 0
    for (const { source, event } of fleet.stream()) {
      if (source !== label.source) continue
      const atMs = event.timestamp * 1000
      if (atMs >= fromMs && atMs < toMs - 1000) throw new Error('seen')
      if (atMs < fromMs) before += 1
    }
    expect(before).toBeGreaterThan(1000)
  })

  it('key-explosion: every message claims a key of its own', () => {
    const { fleet, label, fromMs, toMs } = withOnly('attack', 'key-explosion')
    const stolen = eventsOf(fleet, { fromMs, toMs, key: label.key }).filter(isScenario).filter(isMessage)
    const claimed = new Set(stolen.map(({ event }) => event['api_key_id']))
    expect(claimed.size).toBeGreaterThan(0.95 * stolen.length)
  })
})

describe('look-alikes', () => {
  it('domain-outage: only mail to one domain is deferred or bounces more than usual, of every key', () => {
    const { fleet, fromMs, toMs } = withOnly('benign', 'domain-outage')
    const met = eventsOf(fleet, { fromMs, toMs }).filter(isScenario)
    expect(domains(met).size).toBe(1)
    expect(new Set(met.map(({ key }) => key)).size).toBeGreaterThan(1)
    const troubles = met.filter(({ event }) => event.event === 'bounce' || event.event === 'deferred')
    expect(troubles.length).toBeGreaterThanOrEqual(met.filter(isMessage).length)
    const classes = met.flatMap(({ event }) => event['bounce_classification'] ?? [])
    expect(classes.filter((name) => name !== 'Technical' && name !== 'Unclassified')).toEqual([])
  })

  it('deferral-incident: what was deferred is delivered in the end', () => {
    const { fleet, fromMs, toMs } = withOnly('benign', 'deferral-incident')
    const met = eventsOf(fleet, { fromMs, toMs: toMs + DAY_MS }).filter(isScenario)
    expect(count(met, 'deferred')).toBeGreaterThanOrEqual(count(met, 'processed'))
    expect(count(met, 'delivered')).toBe(count(met, 'processed'))
  })

  it('deployment: a template that the key never had, for the same people', () => {
    const { fleet, label, fromMs, toMs } = withOnly('benign', 'deployment')
    const events = eventsOf(fleet, { fromMs: fromMs - 14 * DAY_MS, toMs, key: label.key }).filter(isMessage)
    const templates = (of: typeof events) => new Set(of.map(({ event }) => event['sg_template_id']))
    const before = events.filter(({ atMs }) => atMs < fromMs)
    const after = events.filter(({ atMs }) => atMs >= fromMs)
    expect(before.filter(isScenario)).toEqual([])
    expect([...templates(after)].filter((template) => !templates(before).has(template))).toHaveLength(1)
    expect(new Set(after.map(({ scenario }) => scenario)).size).toBe(1)
  })

  it('campaign-moved: the run is missing at its usual time and comes at another', () => {
    const { fleet, label, fromMs, toMs } = withOnly('benign', 'campaign-moved')
    const messages = eventsOf(fleet, { fromMs: fromMs - 6 * DAY_MS, toMs, key: label.key }).filter(isMessage)
    expect(messages.filter(isScenario).length).toBe(label.messages)
    const profile = fleet.profiles.find(({ name, scenario }) => name === label.key && scenario === undefined)
    const week = fleet.profiles.filter((one) => one === profile)
    const usual = [
      ...generateEvents({
        profiles: week,
        seed: SEED,
        rate: 1,
        fromMs: fromMs - 3 * DAY_MS,
        toMs: fromMs + 3 * DAY_MS,
      }),
    ]
    const before = [
      ...generateEvents({
        profiles: week,
        seed: SEED,
        rate: 1,
        fromMs: fromMs - 17 * DAY_MS,
        toMs: fromMs - 11 * DAY_MS,
      }),
    ]
    expect(count(usual, 'processed')).toBeLessThan(count(before, 'processed'))
  })

  it('batch-run-twice: as much again within hours of the first run', () => {
    const { fleet, label, fromMs, toMs } = withOnly('benign', 'batch-run-twice')
    const messages = eventsOf(fleet, { fromMs: fromMs - 8 * HOUR_MS, toMs, key: label.key }).filter(isMessage)
    const again = messages.filter(isScenario).length
    expect(messages.length - again).toBeGreaterThan(0.4 * again)
    expect(again).toBeGreaterThan(0.2 * messages.length)
  })

  it('product-launch: half as much again to four fifths more', () => {
    const { fleet, label, fromMs, toMs } = withOnly('benign', 'product-launch')
    const events = eventsOf(fleet, { fromMs, toMs, key: label.key }).filter(isMessage)
    const more = events.filter(isScenario).length
    const own = events.length - more
    expect(more / own).toBeGreaterThan(0.3)
    expect(more / own).toBeLessThan(1)
  })

  it('marketing-test: 5 to 31 mails, to the staff only, marked as a test', () => {
    const { fleet, label, fromMs, toMs } = withOnly('benign', 'marketing-test')
    const tests = eventsOf(fleet, { fromMs, toMs, key: label.key }).filter(isScenario).filter(isMessage)
    expect(tests.length).toBeGreaterThanOrEqual(4)
    expect(tests.length).toBeLessThanOrEqual(31)
    expect(domains(tests)).toEqual(new Set(['acme.example']))
    expect(tests.filter(({ event }) => ![event['category']].flat().includes('[TEST]'))).toEqual([])
  })
})

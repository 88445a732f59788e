import { describe, expect, it, vi } from 'vitest'
import { attributionRulesFor, createAttributor } from '#shared/domain/attribute-event.ts'
import { normaliseEvent } from '#shared/domain/normalise-event.ts'
import { generateEvents } from '../event-stream.ts'
import { attacks, lookAlikes } from './all-scenarios.ts'
import type { Fleet } from './compose-fleet.ts'
import { generateFleet } from './generate-fleet.ts'
import { DAY_MS } from './local-time.ts'
import type { ScenarioLabel } from './scenario-label.ts'

// Whole histories are generated here; a busy machine needs its time.
vi.setConfig({ testTimeout: 60_000 })

const make = (seed: number) => generateFleet({ seed, keys: 7, weeks: 5, attacks: 9, lookAlikes: 8 })
const seeds = [1, 2, 3]
const fleets = seeds.map(make)
const [fleet] = fleets
if (fleet === undefined) throw new Error('there are three')
const startOf = (label: ScenarioLabel) => Date.parse(label.started_at)
const endOf = (label: ScenarioLabel) => Date.parse(label.ended_at)

/** What really is in the traffic: ids of tagged messages by scenario, each with when it was accepted. */
const taggedIn = fleets.map(({ profiles, startMs, endMs }, index) => {
  const tagged = new Map<string, Map<string, number>>()
  const stream = { profiles, seed: seeds[index] ?? 0, rate: 1, fromMs: startMs, toMs: endMs }
  for (const { atMs, scenario, event } of generateEvents(stream)) {
    if (scenario === undefined || (event.event !== 'processed' && event.event !== 'dropped')) continue
    const name = scenario.slice(0, scenario.lastIndexOf(' '))
    const others = tagged.get(name) ?? new Map<string, number>()
    tagged.set(name, others.set(event.sg_message_id, atMs))
  }
  return tagged
})

describe('generateFleet', () => {
  it('gives the same fleet and events for the same seed, other ones for another', () => {
    const again = make(1)
    expect(again.labels).toEqual(fleet.labels)
    expect(again.configFile).toEqual(fleet.configFile)
    const first = (made: Fleet) => {
      const stream = made.stream()
      return Array.from({ length: 5000 }, () => stream.next().value)
    }
    expect(first(again)).toEqual(first(fleet))
    expect(first(fleet)).toEqual(first(fleet))
    expect(make(4).labels).not.toEqual(fleet.labels)
  })

  it('places as many scenarios as asked, all in the last two fifths of the time', () => {
    for (const { labels, startMs, endMs } of fleets) {
      expect(labels.filter(({ kind }) => kind === 'attack')).toHaveLength(9)
      expect(labels.filter(({ kind }) => kind === 'benign')).toHaveLength(8)
      const early = labels.filter((label) => startOf(label) < startMs + 0.6 * (endMs - startMs))
      expect(early).toEqual([])
      expect(labels.filter((label) => endOf(label) > endMs || endOf(label) <= startOf(label))).toEqual([])
    }
  })

  it('labels exactly the messages that are there because of an attack', () => {
    for (const [index, made] of fleets.entries()) {
      for (const { name } of attacks) {
        const labels = made.labels.filter(({ scenario }) => scenario === name)
        const labelled = labels.flatMap(({ message_ids: ids }) => ids)
        expect(new Set(labelled)).toEqual(new Set(taggedIn[index]?.get(name)?.keys()))
        expect(labels.map(({ messages }) => messages)).toEqual(
          labels.map(({ message_ids: ids }) => new Set(ids).size),
        )
      }
    }
  })

  it('labels a look-alike with those of its messages that are within its time', () => {
    let checked = 0
    for (const [index, made] of fleets.entries()) {
      for (const { name } of lookAlikes) {
        const labels = made.labels.filter(({ scenario }) => scenario === name)
        // What only arrives differently is tagged in no message.
        const tagged = taggedIn[index]?.get(name)
        if (tagged === undefined) continue
        const within = [...tagged].filter(([, atMs]) =>
          labels.some((label) => atMs >= startOf(label) && atMs < endOf(label)),
        )
        const labelled = new Set(labels.flatMap(({ message_ids: ids }) => ids))
        expect(labelled).toEqual(new Set(within.map(([id]) => id)))
        checked += labelled.size
      }
    }
    expect(checked).toBeGreaterThan(100)
  })

  it('leaves four days between two attacks on one key, which never overlap', () => {
    for (const { labels } of fleets) {
      const stolen = labels.filter(({ kind, key }) => kind === 'attack' && key !== '*')
      for (const label of stolen) {
        const next = stolen.filter(
          (other) => other !== label && other.key === label.key && startOf(other) >= startOf(label),
        )
        expect(next.filter((other) => startOf(other) < endOf(label) + 3.99 * DAY_MS)).toEqual([])
      }
    }
  })

  it('is in order of arrival, nothing arriving before it happened, and within the time', () => {
    let lastMs = 0
    for (const { received_at_ms: atMs, event } of fleet.stream()) {
      if (atMs < lastMs || atMs < event.timestamp * 1000) throw new Error('out of order')
      if (event.timestamp * 1000 < fleet.startMs || event.timestamp * 1000 >= fleet.endMs) {
        throw new Error('out of time')
      }
      lastMs = atMs
    }
    expect(lastMs).toBeGreaterThan(fleet.startMs)
  })

  it('needs no correction by ingest, and names each key as the configuration reads it', () => {
    const { config, profiles, startMs, endMs } = fleet
    const attributors = new Map(
      Object.entries(config.sources).map(([source, { key, attribution }]) => [
        source,
        createAttributor({
          source,
          key,
          rules: attributionRulesFor({ key, attribution }, config.attribution),
        }),
      ]),
    )
    const wrong: unknown[] = []
    const stream = { profiles, seed: 1, rate: 1, fromMs: startMs, toMs: endMs }
    for (const { atMs, source, key, scenario, event } of generateEvents(stream)) {
      const normal = normaliseEvent(event, atMs)
      if (normal.kind !== 'event' || normal.normalised.length > 0) wrong.push(event)
      const attack = fleet.labels.some(
        ({ kind, scenario: name }) => kind === 'attack' && scenario?.startsWith(name),
      )
      if (!attack && attributors.get(source)?.(event).key !== key) wrong.push({ key, event })
    }
    expect(wrong).toEqual([])
  })

  it('says in the label which key an attack is attributed to', () => {
    const labels = fleets.flatMap((made) => made.labels).filter(({ kind }) => kind === 'attack')
    const bySource = labels.filter(({ source }) => source.startsWith('own-') && source !== '*')
    expect(bySource.filter(({ key, attributed_as: as }) => as !== key)).toEqual([])
    const nameless = labels.filter(({ family }) => family === 'unattributed')
    expect(nameless.length).toBeGreaterThan(0)
    expect(nameless.filter(({ attributed_as: as }) => as !== 'unattributed')).toEqual([])
  })

  it('refuses a scenario that does not exist', () => {
    const options = { seed: 1, keys: 4, weeks: 4, lookAlikes: 0 }
    expect(() => generateFleet({ ...options, attacks: ['no-such'] })).toThrow('no-such')
  })
})

describe('every scenario', () => {
  // Autumn: both changes of clocks and an end of month are near the end.
  const startMs = Date.UTC(2025, 8, 8)
  const only = (names: { readonly attacks: readonly string[]; readonly lookAlikes: readonly string[] }) =>
    generateFleet({ seed: 7, keys: 36, weeks: 8, startMs, ...names })

  it.each(attacks.map(({ name }) => name))('finds a key and a time in a fleet: attack %s', (name) => {
    const { labels, unplaced } = only({ attacks: [name], lookAlikes: [] })
    expect(unplaced).toEqual([])
    expect(labels).toMatchObject([{ kind: 'attack', scenario: name, attack: name }])
    // A webhook that is switched off hides what is sent.
    expect(labels[0]?.messages).toBeGreaterThanOrEqual(name === 'silenced-webhook' ? 0 : 15)
    expect(labels[0]?.signals.length).toBeGreaterThan(0)
  })

  it.each(lookAlikes.map(({ name }) => name))('finds a key and a time in a fleet: %s', (name) => {
    const { labels, unplaced } = only({ attacks: [], lookAlikes: [name] })
    expect(unplaced).toEqual([])
    expect(labels).toMatchObject([{ kind: 'benign', scenario: name, signals: [] }])
  })
})

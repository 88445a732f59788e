import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { factsOf } from '#shared/warehouse/engine-facts.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import { loadKeyStates, saveKeyStates, type Checkpoint } from '#shared/warehouse/key-state-store.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { eventsSince, pastEvents } from '#shared/warehouse/stored-events-store.ts'
import { keyText } from '#shared/warehouse/usage-store.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { anEventMessage } from '../support/stored-events.ts'

let warehouse: TestWarehouse
let client: ClickHouseClient
const ODD = "it's \u0000\n{x:String} 日本"
const START = 1_790_000_000
/** States that were written years ago are forgotten. */
const NOW = Date.now()

beforeAll(async () => {
  warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
  client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
})
afterAll(async () => {
  await client?.close()
  await warehouse?.stop()
})

const privacy = createRecipientPrivacy({
  data_directory: '.',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})

describe('the store of key states', () => {
  const at = (logOffset: number, state: string, key = ODD) => ({
    source: 'states',
    key,
    partition: 3,
    logOffset,
    arrivedUntilMs: START * 1000 + 123,
    state,
  })
  const load = async (engineVersion: string) => [
    ...(await loadKeyStates(client, [{ source: 'states', key: ODD }], engineVersion)).values(),
  ]

  it('gives back the state that was written last, byte for byte, also where its offset is smaller', async () => {
    await saveKeyStates(client, [at(900, 'old')], { engineVersion: '1', writtenAtMs: NOW + 1000 })
    const latest = at(5, `{"${ODD}":[1,2]}`)
    await saveKeyStates(client, [latest], { engineVersion: '1', writtenAtMs: NOW + 2000 })
    await saveKeyStates(client, [at(70, 'late')], { engineVersion: '1', writtenAtMs: NOW + 1500 })
    expect(await load('1')).toEqual([latest])
  })

  it('does not give a state to another version of the engine', async () => {
    expect(await load('2')).toEqual([])
  })

  it('knows more keys than one statement names, and finds only those asked for', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => `${index}`.padStart(200, '"'))
    await saveKeyStates(
      client,
      keys.map((key) => at(1, key, key)),
      { engineVersion: '1', writtenAtMs: NOW + 3000 },
    )
    const asked = keys.slice(0, 2400).map((key) => ({ source: 'states', key }))
    const found = await loadKeyStates(client, [...asked, { source: 'states', key: 'never' }], '1')
    expect(found.size).toBe(2400)
    expect([...found.values()].every(({ key, state }) => key === state)).toBe(true)
  })
})

/** A stored event, with what the tests compare it by. */
type Stored = { readonly row: EventRow; readonly receivedAtMs: number }

function stored(given: {
  readonly id: string
  readonly source: string
  readonly key: string
  readonly partition: number
  readonly offset: number
  readonly receivedAtMs: number
  readonly event?: Readonly<Record<string, unknown>>
}): Stored {
  const { id, source, key, partition, offset, receivedAtMs, event } = given
  const message = anEventMessage(
    { sg_event_id: id, timestamp: Math.floor(receivedAtMs / 1000) - 3, ...event },
    { source, key, received_at: receivedAtMs },
  )
  return { row: toEventRow(message, { partition, offset }, privacy), receivedAtMs }
}

const insert = (events: readonly Stored[], token: string) =>
  insertEvents(
    client,
    events.map(({ row }) => row),
    token,
  )

const engineEventOf = ({ row, receivedAtMs }: Stored): EngineEvent => ({
  source: row.source,
  key: row.key,
  event: row.event,
  timestamp: row.timestamp,
  receivedAtMs,
  attribution: row.attribution,
  facts: factsOf(row),
})

async function all(pieces: AsyncGenerator<readonly EngineEvent[]>): Promise<EngineEvent[]> {
  const events: EngineEvent[] = []
  for await (const piece of pieces) events.push(...piece)
  return events
}

describe('eventsSince', () => {
  it('gives exactly the events behind each checkpoint, in order of arrival, as the engine had them', async () => {
    const made = fc
      .sample(
        fc.array(
          fc.record({
            key: fc.constantFrom('a', 'b', ODD),
            partition: fc.constantFrom(1, 2),
            skewMs: fc.integer({ min: -2000, max: 2000 }),
            event: fc.constantFrom<Record<string, unknown>>(
              { event: 'processed', category: ['b', 'a'], sg_template_id: 'd-1', 'smtp-id': '<x@geopod-7>' },
              { event: 'click', url: 'https://Evil.example/?a=1', pool: { name: 'p' } },
              { event: 'bounce', bounce_classification: 'Invalid Address', type: 'bounce' },
              { event: 'open', sg_machine_open: true, email: '' },
            ),
          }),
          { minLength: 300, maxLength: 300 },
        ),
        { seed: 7, numRuns: 1 },
      )
      .flat()
    const events = made.map(({ key, partition, skewMs, event }, offset) =>
      stored({
        id: `since-${offset}`,
        source: 'since',
        key,
        partition,
        offset,
        receivedAtMs: START * 1000 + offset * 1000 + skewMs,
        event,
      }),
    )
    await insert(events.slice(0, 200), 'since:1')
    await insert(events.slice(200), 'since:2')

    const reach = (partition: number, logOffset: number): Checkpoint => ({
      partition,
      logOffset,
      arrivedUntilMs: Math.max(
        ...events
          .filter(({ row }) => row.log_partition === partition && row.log_offset <= logOffset)
          .map(({ receivedAtMs }) => receivedAtMs),
      ),
    })
    const checkpoints = new Map([
      ['a', reach(1, 100)],
      ['b', reach(2, 250)],
      [ODD, reach(1, 297)],
    ])
    const pending = { partition: 1, firstOffset: 280, lastOffset: 290, arrivedFromMs: START * 1000 }
    const expected = events
      .filter(({ row, receivedAtMs }) => {
        const held = checkpoints.get(row.key)
        if (held === undefined) return false
        const isBehind = row.log_partition === held.partition && row.log_offset > held.logOffset
        const isPending = row.log_partition === 1 && row.log_offset >= 280 && row.log_offset <= 290
        return (isBehind || receivedAtMs > held.arrivedUntilMs) && !isPending
      })
      .toSorted((left, right) => left.receivedAtMs - right.receivedAtMs)
      .map(engineEventOf)
    const given = await all(
      eventsSince(
        client,
        [...checkpoints].map(([key, checkpoint]) => ({ source: 'since', key, checkpoint })),
        pending,
      ),
    )
    for (const key of checkpoints.keys()) {
      expect(given.filter((event) => event.key === key)).toEqual(
        expected.filter((event) => event.key === key),
      )
    }
    expect(given).toHaveLength(expected.length)
    const keysInOrder = given.map(({ key }) => key).filter((key, index, keys) => key !== keys[index - 1])
    expect(keysInOrder).toHaveLength(new Set(keysInOrder).size)
  })

  it('finds events of a log that was made anew, whose offsets are below the checkpoint’s', async () => {
    const checkpoint = { partition: 1, logOffset: 1_000_000, arrivedUntilMs: START * 1000 }
    const fresh = [1, 2].map((offset) =>
      stored({
        id: `anew-${offset}`,
        source: 'anew',
        key: 'a',
        partition: 1,
        offset,
        receivedAtMs: START * 1000 + offset,
      }),
    )
    await insert(fresh, 'anew:1')
    expect(await all(eventsSince(client, [{ source: 'anew', key: 'a', checkpoint }]))).toEqual(
      fresh.map(engineEventOf),
    )
  })
})

describe('pastEvents', () => {
  it('gives about the newest so many of a key, everything of a smaller one, nothing older than asked', async () => {
    const HOUR = 3600
    const hour = Math.floor(START / HOUR) * HOUR
    const events = Array.from({ length: 50 }, (_, index) =>
      ['busy', ...(index % 10 === 0 ? ['quiet'] : [])].map((key) =>
        stored({
          id: `past-${key}-${index}`,
          source: 'past',
          key,
          // History written straight into the warehouse lies on a partition of its own, from offset 0 on.
          partition: index < 25 ? 65_535 : 0,
          offset: index % 25,
          receivedAtMs: (hour + index * HOUR + 10) * 1000,
        }),
      ),
    ).flat()
    await insert(events, 'past:1')
    const keys = ['busy', 'quiet', 'never'].map((key) => ({ source: 'past', key }))
    const given = await all(pastEvents(client, keys, { fromSeconds: hour + 5 * HOUR, eventsPerKeyMax: 20 }))
    const of = (key: string) => given.filter((event) => event.key === key)
    const expected = (key: string) => events.filter(({ row }) => row.key === key).map(engineEventOf)
    expect(of('busy')).toEqual(expected('busy').slice(-20))
    expect(of('quiet')).toEqual(expected('quiet').slice(1))
    expect(given).toHaveLength(24)
  })

  it('leaves out the events of a block that is about to be given as new, and only of that block', async () => {
    const [before, inside, elder] = [
      stored({ id: 'p1', source: 'pend', key: 'a', partition: 0, offset: 9, receivedAtMs: START * 1000 }),
      stored({
        id: 'p2',
        source: 'pend',
        key: 'a',
        partition: 0,
        offset: 10,
        receivedAtMs: START * 1000 + 1,
      }),
      // Of a log that was there before this one: the same offset, a month earlier.
      stored({
        id: 'p0',
        source: 'pend',
        key: 'a',
        partition: 0,
        offset: 10,
        receivedAtMs: (START - 30 * 86_400) * 1000,
      }),
    ] as const
    await insert([before, inside, elder], 'pend:1')
    const pending = { partition: 0, firstOffset: 10, lastOffset: 20, arrivedFromMs: START * 1000 }
    expect(
      await all(
        pastEvents(client, [{ source: 'pend', key: 'a' }], {
          fromSeconds: START - 35 * 86_400,
          eventsPerKeyMax: 1000,
          pending,
        }),
      ),
    ).toEqual([elder, before].map(engineEventOf))
  })
})

describe('ten thousand keys', () => {
  it('have states and events since read back whole', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => ({ source: 'many', key: `key-${index}` }))
    const checkpoint = { partition: 0, logOffset: 0, arrivedUntilMs: START * 1000 }
    const state = 'x'.repeat(100)
    await saveKeyStates(
      client,
      keys.map((named) => ({ ...named, ...checkpoint, state })),
      { engineVersion: '1', writtenAtMs: NOW + 1 },
    )
    await insert(
      keys.map(({ source, key }, index) =>
        stored({ id: key, source, key, partition: 0, offset: index + 1, receivedAtMs: START * 1000 + index }),
      ),
      'many:1',
    )
    const states = await loadKeyStates(client, keys, '1')
    const held = keys.flatMap((named) => {
      const found = states.get(keyText(named))
      return found === undefined ? [] : [{ ...named, checkpoint: found }]
    })
    expect(held).toHaveLength(10_000)
    const events = await all(eventsSince(client, held))
    expect(new Set(events.map(({ key }) => key)).size).toBe(10_000)
    expect(events).toHaveLength(10_000)
  })
})

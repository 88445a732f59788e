import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import {
  createKeyCheckpoints,
  type CheckpointEngine,
  type KeyCheckpoints,
} from '../../services/detector/key-checkpoints.ts'
import { createMetrics } from '../../services/detector/metrics.ts'
import { eventually } from '../support/eventually.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { anEventMessage, countOf } from '../support/stored-events.ts'

const START_MS = 1_790_000_000_000
let warehouse: TestWarehouse
let client: ClickHouseClient

beforeAll(async () => {
  warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
  client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
})
afterAll(async () => {
  await client?.close()
  await warehouse?.stop()
})

/** Remembers the arrival times of a key's events, each of which is unique: what is lost or given twice shows. */
function recordingEngine() {
  const keys = new Map<string, number[]>()
  const dirty = new Set<string>()
  const take = ({ key, receivedAtMs }: EngineEvent) => {
    keys.set(key, [...(keys.get(key) ?? []), receivedAtMs])
    dirty.add(key)
  }
  let source = ''
  const engine: CheckpointEngine = {
    wantsKey: (_source, key) => !keys.has(key),
    restoreKey: (_source, key, state) => {
      if (state !== undefined) keys.set(key, z.array(z.number()).parse(JSON.parse(state)))
    },
    saveKey: (_source, key) => {
      dirty.delete(key)
      const held = keys.get(key)
      return held === undefined ? undefined : JSON.stringify(held)
    },
    dirtyKeys: () => [...dirty].map((key) => ({ source, key })),
    replay: take,
  }
  return {
    engine,
    keys,
    feed: (event: EngineEvent) => {
      source = event.source
      take(event)
    },
  }
}

const privacy = createRecipientPrivacy({
  data_directory: '.',
  privacy: { recipients: 'hash', hash_key: 'a key for tests' },
})

type Made = { readonly row: EventRow; readonly event: EngineEvent }

function made(source: string, key: string, offset: number, receivedAtMs: number): Made {
  const message = anEventMessage(
    { sg_event_id: `${source}-${offset}`, timestamp: Math.floor(receivedAtMs / 1000) },
    { source, key, received_at: receivedAtMs },
  )
  return {
    row: toEventRow(message, { partition: 1, offset }, privacy),
    event: {
      source,
      key,
      event: 'processed',
      timestamp: Math.floor(receivedAtMs / 1000),
      receivedAtMs,
      attribution: 'custom_arg',
    },
  }
}

/** One life of a detector on one partition; `clock` is what its checkpoints go by. */
function startLife(clock: { ms: number }, lost: AbortSignal = new AbortController().signal) {
  const { engine, keys, feed } = recordingEngine()
  const checkpoints = createKeyCheckpoints(
    engine,
    { client, lost, log: createLogger('test', 'silent'), metrics: createMetrics() },
    {
      partition: 1,
      engineVersion: 'test',
      now: () => clock.ms,
      intervalMs: 1000,
      intervalEvents: 25,
      intervalMinMs: 0,
    },
  )
  return { keys, feed, checkpoints }
}

const restore = (
  checkpoints: KeyCheckpoints,
  block: readonly Made[],
  pending?: Parameters<KeyCheckpoints['restore']>[1]['pending'],
) =>
  checkpoints.restore(
    block.map(({ event }) => event),
    { nowMs: START_MS + 86_400_000, pending },
  )

const reachOf = (block: readonly Made[]) => ({
  logOffset: block.at(-1)?.row.log_offset ?? -1,
  events: block.length,
  arrivedUntilMs: Math.max(...block.map(({ event }) => event.receivedAtMs)),
})

const statesOf = (source: string) =>
  countOf(client, `SELECT count() AS count FROM key_state WHERE source = '${source}'`)

describe('checkpoints of keys', () => {
  it('hold every event exactly once, wherever in a block the detector is killed or stopped', async () => {
    const ends = [
      'goes on',
      'goes on',
      'killed after store',
      'killed after feed',
      'killed',
      'stopped',
    ] as const
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            events: fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), skewMs: fc.nat(400) }), {
              minLength: 1,
              maxLength: 20,
            }),
            end: fc.constantFrom(...ends),
          }),
          { minLength: 3, maxLength: 12 },
        ),
        async (steps) => {
          run += 1
          const source = `run-${run}`
          const clock = { ms: Date.now() }
          const expected = new Map<string, number[]>()
          let offset = 0
          let life = startLife(clock)
          for (const [index, { events, end }] of steps.entries()) {
            clock.ms += 700
            const block = events.map(({ key, skewMs }) => {
              offset += 1
              // Arrivals are unique; those of neighbours may be the other way round than in the log.
              return made(source, key, offset, START_MS + offset * 1000 + skewMs * 50)
            })
            for (const { event } of block) {
              expected.set(event.key, [...(expected.get(event.key) ?? []), event.receivedAtMs])
            }
            const store = () =>
              insertEvents(
                client,
                block.map(({ row }) => row),
                `${source}:${index}`,
              )
            const feedAll = () => {
              life.checkpoints.feeding()
              for (const { event } of block) life.feed(event)
            }
            await restore(life.checkpoints, block)
            await store()
            if (end === 'killed after store' || end === 'killed after feed') {
              if (end === 'killed after feed') feedAll()
              // A stop in the middle of a block must save nothing; after it the next life finds the block pending.
              if (index % 2 === 0) await life.checkpoints.stop()
              life = startLife(clock)
              const [first, last] = [block.at(0), block.at(-1)]
              await restore(life.checkpoints, block, {
                partition: 1,
                firstOffset: first?.row.log_offset ?? 0,
                lastOffset: last?.row.log_offset ?? 0,
                arrivedFromMs: Math.min(...block.map(({ event }) => event.receivedAtMs)),
              })
              await store()
            }
            feedAll()
            life.checkpoints.committed(reachOf(block))
            if (end === 'stopped') await life.checkpoints.stop()
            if (end === 'stopped' || end === 'killed') life = startLife(clock)
          }
          life = startLife(clock)
          await life.checkpoints.restore(
            [...expected.keys()].map((key) => ({ source, key })),
            { nowMs: START_MS + 86_400_000 },
          )
          const sorted = (keys: ReadonlyMap<string, readonly number[]>) =>
            ['a', 'b', 'c', 'd'].map((key) => keys.get(key)?.toSorted((left, right) => left - right) ?? [])
          expect(sorted(life.keys)).toEqual(sorted(expected))
        },
      ),
      { seed: 3, numRuns: 12 },
    )
  })

  it('are written in the background after enough events, and read back in place of the events', async () => {
    const clock = { ms: Date.now() }
    const first = startLife(clock)
    const block = Array.from({ length: 30 }, (_, index) =>
      made('background', `key-${index % 3}`, index, START_MS + index),
    )
    await restore(first.checkpoints, block)
    await insertEvents(
      client,
      block.map(({ row }) => row),
      'background:1',
    )
    first.checkpoints.feeding()
    for (const { event } of block) first.feed(event)
    first.checkpoints.committed(reachOf(block))
    await eventually(async () => (await statesOf('background')) === 3, {
      timeoutMs: 10_000,
      what: 'three states are written',
    })
    await client.command({ query: "ALTER TABLE events DELETE WHERE source = 'background'" })
    await eventually(
      async () =>
        (await countOf(client, "SELECT count() AS count FROM events WHERE source = 'background'")) === 0,
      { timeoutMs: 10_000, what: 'the events are gone' },
    )
    const second = startLife(clock)
    await restore(second.checkpoints, block)
    expect([...second.keys.values()].flat()).toHaveLength(30)
  })

  it('reach as far as what they were made from, though later blocks arrived before it', async () => {
    const clock = { ms: Date.now() }
    for (const [index, arrivedMs] of [START_MS + 10_000, START_MS + 5000].entries()) {
      clock.ms += 1000
      const life = startLife(clock)
      const block = [made('overtaken', 'a', index, arrivedMs)]
      await restore(life.checkpoints, block)
      await insertEvents(
        client,
        block.map(({ row }) => row),
        `overtaken:${index}`,
      )
      life.checkpoints.feeding()
      for (const { event } of block) life.feed(event)
      life.checkpoints.committed(reachOf(block))
      await life.checkpoints.stop()
    }
    const life = startLife(clock)
    await life.checkpoints.restore([{ source: 'overtaken', key: 'a' }], { nowMs: START_MS })
    expect(life.keys.get('a')).toEqual([START_MS + 10_000, START_MS + 5000])
  })

  it('that cannot be read are made anew from the events', async () => {
    const clock = { ms: Date.now() }
    const block = [made('unreadable', 'a', 1, START_MS), made('unreadable', 'a', 2, START_MS + 1)]
    await insertEvents(
      client,
      block.map(({ row }) => row),
      'unreadable:1',
    )
    await client.insert({
      table: 'key_state',
      values: [
        {
          source: 'unreadable',
          key: 'a',
          log_partition: 1,
          log_offset: 1,
          arrived_until: '2026-09-21 00:00:00',
          engine_version: 'test',
          written_at: '2026-11-01 00:00:00',
          state: 'no JSON',
        },
      ],
      format: 'JSONEachRow',
    })
    const life = startLife(clock)
    await restore(life.checkpoints, block)
    expect(life.keys.get('a')).toEqual([START_MS, START_MS + 1])
  })

  it('are saved at a stop even though the partition is lost already', async () => {
    const clock = { ms: Date.now() }
    const lost = new AbortController()
    const life = startLife(clock, lost.signal)
    const block = [made('stopping', 'a', 1, START_MS)]
    await restore(life.checkpoints, block)
    life.checkpoints.feeding()
    for (const { event } of block) life.feed(event)
    life.checkpoints.committed(reachOf(block))
    lost.abort()
    await life.checkpoints.stop()
    expect(await statesOf('stopping')).toBe(1)
  })
})

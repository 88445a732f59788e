import { parseArgs } from 'node:util'
import { createLogger } from '#shared/runtime/logger.ts'
import { createWarehouseClient } from '#shared/warehouse/client.ts'
import { saveKeyStates } from '#shared/warehouse/key-state-store.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { createMetrics } from '../../services/detector/metrics.ts'
import { restoreKeys } from '../../services/detector/restore-keys.ts'
import { startTestWarehouse } from '../../test/support/start-warehouse.ts'
import { countOf } from '../../test/support/stored-events.ts'

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '10000' },
    /** Events in the table before the checkpoint, spread evenly over the last days. */
    events: { type: 'string', default: '10000000' },
    days: { type: 'string', default: '30' },
    /** Events since the checkpoint. */
    since: { type: 'string', default: '50000' },
    /** Size of one key's state. */
    'state-bytes': { type: 'string', default: '8192' },
  },
})
const keys = Number(values.keys)
const events = Number(values.events)
const days = Number(values.days)
const since = Number(values.since)
const stateBytes = Number(values['state-bytes'])

const warehouse = await startTestWarehouse()
const client = createWarehouseClient(warehouse.connection, 'keywatch-bench')
try {
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
  const nowMs = Date.now()
  const checkpointMs = nowMs - 300_000
  await makeEvents(checkpointMs)
  const names = Array.from({ length: keys }, (_, index) => ({ source: 'main', key: `key-${index}` }))
  const saveSeconds = await timed(() => saveStates(names, checkpointMs))
  const fromStates = await restore(names, 'bench', nowMs)
  const fromEvents = await restore(names, 'another version', nowMs)
  const stored = await countOf(client, 'SELECT count() AS count FROM events')
  console.log(
    JSON.stringify({ keys, storedEvents: stored, stateBytes, saveSeconds, fromStates, fromEvents }, null, 2),
  )
} finally {
  await client.close()
  await warehouse.stop()
}

/** Brings all keys back: from states of this version, or, where there are none, from all of their past. */
async function restore(
  names: readonly { source: string; key: string }[],
  engineVersion: string,
  nowMs: number,
) {
  let states = 0
  let replayed = 0
  const met = new Set<string>()
  const seconds = await timed(async () => {
    await restoreKeys(names, {
      nowMs,
      options: { partition: 0, engineVersion },
      context: {
        client,
        metrics: createMetrics(),
        log: createLogger('bench', 'silent'),
        lost: new AbortController().signal,
      },
      engine: {
        wantsKey: (_source, key) => !met.has(key),
        restoreKey: (_source, key, state) => {
          met.add(key)
          // Reading JSON is what an engine does first with a state.
          if (state !== undefined && JSON.parse(state) !== undefined) states += 1
        },
        saveKey: () => undefined,
        dirtyKeys: () => [],
        replay: () => {
          replayed += 1
        },
      },
    })
  })
  return { seconds, states, replayed }
}

/** Made by the engine itself, so that ten million take seconds. */
async function makeEvents(checkpointMs: number) {
  const statement = (from: number, count: number, timeMs: string) => `
    INSERT INTO events (source, key, timestamp, sg_event_id, event, received_at, attribution, recipient_hash,
      recipient_domain, categories, template_id, smtp_id, url, fingerprint, log_partition, log_offset)
    SELECT 'main', 'key-' || toString(cityHash64(number) % ${keys}) AS key, toDateTime(intDiv(ms, 1000), 'UTC'),
      'event-' || toString(number), ['processed', 'delivered', 'open', 'click'][number % 4 + 1],
      fromUnixTimestamp64Milli(toInt64(ms + 2000), 'UTC'), 'custom_arg', cityHash64(number, 1), 'example.com', ['orders'],
      'd-0123456789abcdef', '<x@geopod-ismtpd-7>', '', 42, 0, number
    FROM (SELECT number, ${timeMs} AS ms FROM numbers(${from}, ${count}))
    SETTINGS max_partitions_per_insert_block = 0, max_insert_threads = 2`
  const perDay = Math.ceil(events / days)
  for (let day = 0; day < days; day += 1) {
    const startMs = checkpointMs - (days - day) * 86_400_000
    await client.command({
      query: statement(
        day * perDay,
        perDay,
        `${startMs} + intDiv((number - ${day * perDay}) * 86397000, ${perDay})`,
      ),
    })
  }
  const first = days * perDay
  for (let at = 0; at < since; at += 5000) {
    await client.command({
      query: statement(
        first + at,
        Math.min(5000, since - at),
        `${checkpointMs} + (number - ${first}) % 298000`,
      ),
    })
  }
}

async function saveStates(names: readonly { source: string; key: string }[], checkpointMs: number) {
  // As hard to compress as numbers are.
  const state = JSON.stringify(
    Array.from({ length: Math.ceil(stateBytes / 6) }, (_, index) => (index * 7919) % 100_003),
  ).slice(0, stateBytes - 1)
  const body = `${state.slice(0, state.lastIndexOf(','))}]`
  const rows = names.map((named) => ({
    ...named,
    partition: 0,
    logOffset: days * Math.ceil(events / days) - 1,
    arrivedUntilMs: checkpointMs + 1999,
    state: body,
  }))
  for (let at = 0; at < rows.length; at += 250) {
    await saveKeyStates(client, rows.slice(at, at + 250), { engineVersion: 'bench', writtenAtMs: Date.now() })
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return Math.round(performance.now() - startedMs) / 1000
}

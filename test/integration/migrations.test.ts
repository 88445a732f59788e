import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { createClient, type ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { readMigrations, type Migration } from '#shared/warehouse/migration-files.ts'
import { expandMigration, splitStatements } from '#shared/warehouse/migration-statements.ts'
import type { WarehouseConnection } from '#shared/warehouse/client.ts'
import { eventually } from '../support/eventually.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

let warehouse: TestWarehouse
const clients: ClickHouseClient[] = []

beforeAll(async () => {
  warehouse = await startTestWarehouse()
})
afterAll(async () => {
  for (const client of clients) await client.close()
  await warehouse.stop()
})

/** A database of its own for each test. */
function database(name: string): { connection: WarehouseConnection; client: ClickHouseClient } {
  const connection = { ...warehouse.connection, database: `test_${name}` }
  const client = createClient(connection)
  clients.push(client)
  return { connection, client }
}

async function numbers(client: ClickHouseClient, query: string): Promise<number[]> {
  const rows = z
    .array(z.array(z.coerce.number()))
    .parse(await (await client.query({ query, format: 'JSONCompactEachRow' })).json())
  return rows[0] ?? []
}

const made = (name: string, template: string): Migration => ({
  name,
  template,
  checksum: `checksum of ${template}`,
})

describe('migrating', () => {
  it('makes the whole schema once and does nothing the second time', async () => {
    const { connection, client } = database('whole')
    const names = readMigrations().map(({ name }) => name)
    expect(await migrateWarehouse(connection, { rawRetentionDays: 90 })).toEqual({ applied: names })
    expect(await migrateWarehouse(connection, { rawRetentionDays: 90 })).toEqual({ applied: [] })
    expect(await numbers(client, 'SELECT count(), uniqExact(name) FROM schema_migrations')).toEqual([
      names.length,
      names.length,
    ])
    expect(
      await numbers(
        client,
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE '%lock%'",
      ),
    ).toEqual([0])
    const uncommented = await client.query({
      query: `SELECT table, name FROM system.columns
              WHERE database = currentDatabase() AND comment = '' AND table NOT LIKE '%_from_%'`,
      format: 'JSONEachRow',
    })
    expect(await uncommented.json()).toEqual([])
  })

  it('runs each migration once when four processes start at the same time', async () => {
    const { connection, client } = database('together')
    const script = `
      import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
      const { applied } = await migrateWarehouse(JSON.parse(process.env.CONNECTION), { rawRetentionDays: 90 })
      process.stdout.write(JSON.stringify(applied))`
    const results = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise<string>((resolve, reject) => {
            const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
              env: { ...process.env, CONNECTION: JSON.stringify(connection) },
              stdio: ['ignore', 'pipe', 'inherit'],
            })
            let output = ''
            child.stdout.on('data', (chunk: unknown) => (output += String(chunk)))
            child.once('error', reject)
            child.once('close', (code) =>
              code === 0 ? resolve(output) : reject(new Error(`status ${code}`)),
            )
          }),
      ),
    )
    const applied = results.flatMap((output) => z.array(z.string()).parse(JSON.parse(output)))
    expect(applied.toSorted()).toEqual(readMigrations().map(({ name }) => name))
    expect(await numbers(client, 'SELECT count() - uniqExact(name) FROM schema_migrations')).toEqual([0])
  })

  it('runs statements that must not be repeated only once among eight at the same time', async () => {
    const { connection, client } = database('unrepeatable')
    const migrations = [
      made(
        '0001_a.sql',
        'CREATE TABLE counted (n UInt8) ENGINE = MergeTree ORDER BY n; INSERT INTO counted SELECT 1',
      ),
      made('0002_b.sql', "INSERT INTO counted SELECT 2 -- it's ; done\n;"),
    ]
    await Promise.all(
      Array.from({ length: 8 }, () => migrateWarehouse(connection, { rawRetentionDays: 90, migrations })),
    )
    expect(await numbers(client, 'SELECT count(), sum(n) FROM counted')).toEqual([2, 3])
  })

  it('takes over the lock of a process that died, once', { timeout: 90_000 }, async () => {
    const { connection, client } = database('stale')
    const migrations = [
      made(
        '0001_a.sql',
        'CREATE TABLE counted (n UInt8) ENGINE = MergeTree ORDER BY n; INSERT INTO counted SELECT 1',
      ),
    ]
    await migrateWarehouse(connection, { rawRetentionDays: 90, migrations: [] })
    await client.command({
      query: 'CREATE TABLE schema_migrations_lock_9 (unused UInt8) ENGINE = MergeTree ORDER BY unused',
    })
    await Promise.all(
      Array.from({ length: 4 }, () => migrateWarehouse(connection, { rawRetentionDays: 90, migrations })),
    )
    expect(await numbers(client, 'SELECT count() FROM counted')).toEqual([1])
    expect(
      await numbers(
        client,
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE '%lock%'",
      ),
    ).toEqual([0])
  })

  it('refuses a migration that was changed after it had been applied', async () => {
    const { connection } = database('changed')
    const first = made('0001_a.sql', 'CREATE TABLE a (n UInt8) ENGINE = Memory')
    await migrateWarehouse(connection, { rawRetentionDays: 90, migrations: [first] })
    await expect(
      migrateWarehouse(connection, { rawRetentionDays: 90, migrations: [made('0001_a.sql', 'SELECT 1')] }),
    ).rejects.toMatchObject({ code: 'MIGRATION_FAILED', message: /0001_a\.sql was changed/ })
  })

  it('goes on after the statement that failed when the migration is repaired', async () => {
    const { connection, client } = database('broken')
    const good = made('0001_a.sql', 'CREATE TABLE a (n UInt8) ENGINE = Memory')
    const options = { rawRetentionDays: 90 }
    await expect(
      migrateWarehouse(connection, { ...options, migrations: [good, made('0002_b.sql', 'CREATE NONSENSE')] }),
    ).rejects.toMatchObject({ code: 'MIGRATION_FAILED', message: /0002_b\.sql/ })
    const repaired = made('0002_b.sql', 'CREATE TABLE b (n UInt8) ENGINE = Memory')
    expect(await migrateWarehouse(connection, { ...options, migrations: [good, repaired] })).toEqual({
      applied: ['0002_b.sql'],
    })
    expect(await numbers(client, 'SELECT count() FROM b')).toEqual([0])
  })

  it('says what is wrong when the warehouse is not there or refuses', async () => {
    const { connection } = database('absent')
    const options = { rawRetentionDays: 90, waitMs: 300 }
    await expect(
      migrateWarehouse({ ...connection, url: 'http://127.0.0.1:9' }, options),
    ).rejects.toMatchObject({ code: 'WAREHOUSE_UNAVAILABLE', retriable: true })
    await expect(migrateWarehouse({ ...connection, password: 'no' }, options)).rejects.toMatchObject({
      code: 'WAREHOUSE_REFUSED',
      retriable: false,
    })
  })

  it('follows a changed retention', async () => {
    const { connection, client } = database('retention')
    const intervals = `SELECT DISTINCT toUInt32(extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)'))
                       FROM system.tables WHERE database = currentDatabase() AND name IN ('events', 'rejected')`
    await migrateWarehouse(connection, { rawRetentionDays: 90 })
    expect(await numbers(client, intervals)).toEqual([90])
    await migrateWarehouse(connection, { rawRetentionDays: 30 })
    expect(await numbers(client, intervals)).toEqual([30])
  })
})

describe('the cluster variant', () => {
  it('is SQL that the engine understands, statement by statement', async () => {
    const { client } = database('cluster')
    await migrateWarehouse(database('cluster').connection, { rawRetentionDays: 90, migrations: [] })
    let count = 0
    for (const { template } of readMigrations()) {
      const script = expandMigration(template, { cluster: 'main', rawRetentionDays: 30 })
      for (const statement of splitStatements(script)) {
        const result = await client.query({
          query: 'SELECT formatQuery({statement:String}) AS formatted',
          query_params: { statement },
          format: 'JSONEachRow',
        })
        const [row] = z.array(z.object({ formatted: z.string() })).parse(await result.json())
        expect(row?.formatted).toMatch(/ON CLUSTER/)
        expect(row?.formatted).toMatch(
          /^CREATE MATERIALIZED VIEW|^ALTER TABLE|ENGINE = Replicated\w*MergeTree/,
        )
        expect(row?.formatted).not.toMatch(/non_replicated/)
        count += 1
      }
    }
    expect(count).toBeGreaterThan(8)
  })
})

describe('blocks under a token', () => {
  const insertBlock = async (client: ClickHouseClient, token: string, seed: number) => {
    const values = Array.from({ length: 5000 }, (_, index) => ({
      source: 'default',
      key: `key-${(index * 7 + seed) % 200}`,
      timestamp: 1_795_550_000 + ((index * 37 + seed) % 100_000),
      sg_event_id: `${seed}-${index}`,
      event: ['processed', 'delivered', 'open', 'bounce'][index % 4],
      received_at: '2026-11-24 12:00:00.000',
    }))
    const { stream } = await client.exec({
      query: `INSERT INTO events (source, key, timestamp, sg_event_id, event, received_at)
              SETTINGS insert_deduplication_token = '${token}', async_insert = 0,
                       deduplicate_blocks_in_dependent_materialized_views = 1
              FORMAT JSONEachRow`,
      values: Readable.from([Buffer.from(values.map((value) => JSON.stringify(value)).join('\n'))]),
    })
    for await (const _chunk of stream) continue
  }
  const counts = `SELECT (SELECT count() FROM events), (SELECT sum(events) FROM usage_minute),
                         (SELECT sum(events) FROM usage_hour), (SELECT sum(events) FROM usage_day)`

  it('are counted once under the same token and twice under another, in raw events and in every rollup', async () => {
    const { connection, client } = database('tokens')
    await migrateWarehouse(connection, { rawRetentionDays: 3650 })
    await insertBlock(client, 'a:0:0:4999', 1)
    await insertBlock(client, 'a:0:0:4999', 1)
    expect(await numbers(client, counts)).toEqual([5000, 5000, 5000, 5000])
    await insertBlock(client, 'a:0:5000:9999', 1)
    expect(await numbers(client, counts)).toEqual([10_000, 10_000, 10_000, 10_000])
  })

  it(
    'are repaired by the retry when the warehouse was killed in the middle of them',
    { timeout: 150_000 },
    async () => {
      const killed = await startTestWarehouse()
      const client = createClient({ ...killed.connection, request_timeout: 10_000 })
      try {
        await migrateWarehouse(killed.connection, { rawRetentionDays: 3650 })
        let stored = 0
        for (let kill = 0; kill < 5; kill += 1) {
          let block = kill * 1000
          const goal = stored + 3
          const inserting = (async () => {
            for (;;) {
              await insertBlock(client, `k:0:${block}`, block)
              block += 1
              stored += 1
            }
          })().catch(() => 'killed')
          await eventually(() => stored >= goal, { timeoutMs: 30_000, what: 'three more blocks are stored' })
          await killed.kill9()
          expect(await inserting).toBe('killed')
          await killed.restart()
          await insertBlock(client, `k:0:${block}`, block)
          stored += 1
          const rows = stored * 5000
          expect(await numbers(client, counts)).toEqual([rows, rows, rows, rows])
        }
      } finally {
        await client.close()
        await killed.stop()
      }
    },
  )

  it('give rollups that equal the raw events in every cell, merged or not', async () => {
    const { connection, client } = database('cells')
    await migrateWarehouse(connection, { rawRetentionDays: 3650 })
    for (let block = 0; block < 6; block += 1) await insertBlock(client, `b:0:${block}`, block)
    const differing = (table: string, time: string, raw: string) =>
      `SELECT count() FROM (
         SELECT source, key, ${time}, event, sum(events) AS total FROM ${table} GROUP BY ALL
         EXCEPT SELECT source, key, ${raw}, event, count() FROM events GROUP BY ALL)`
    for (const merged of [false, true]) {
      if (merged) {
        for (const table of ['usage_minute', 'usage_hour', 'usage_day', 'key_activity']) {
          await client.command({ query: `OPTIMIZE TABLE ${table} FINAL` })
        }
      }
      expect(
        await numbers(client, differing('usage_minute', 'minute', 'toStartOfMinute(timestamp)')),
      ).toEqual([0])
      expect(await numbers(client, differing('usage_hour', 'hour', 'toStartOfHour(timestamp)'))).toEqual([0])
      expect(await numbers(client, differing('usage_day', 'day', "toDate(timestamp, 'UTC')"))).toEqual([0])
      expect(await numbers(client, counts)).toEqual([30_000, 30_000, 30_000, 30_000])
      expect(
        await numbers(
          client,
          `SELECT count() FROM (
             SELECT source, key, min(first_seen), max(last_seen) FROM key_activity GROUP BY ALL
             EXCEPT SELECT source, key, min(timestamp), max(timestamp) FROM events GROUP BY ALL)`,
        ),
      ).toEqual([0])
    }
  })
})

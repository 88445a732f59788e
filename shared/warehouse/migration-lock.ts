import { setTimeout as wait } from 'node:timers/promises'
import { ClickHouseError } from '@clickhouse/client'
import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'
import type { ClickHouseClient } from './client.ts'

/** A holder shows that it lives this often, */
const HEARTBEAT_MS = 5000
/** and counts as dead after this long without it. */
const STALE_AFTER_SECONDS = 20
/** Longer than any holder can need: the longest wait here is for one that died and one that works. */
const GIVE_UP_AFTER_MS = 300_000
const PAUSE_MS = 200
/** ClickHouse's error TABLE_ALREADY_EXISTS. */
const TABLE_ALREADY_EXISTS = '57'
const PREFIX = 'schema_migrations_lock_'

const lockRow = z.object({
  generation: z.coerce.number().int(),
  uuid: z.string(),
  idle_seconds: z.coerce.number(),
})
type Lock = z.output<typeof lockRow>

/**
 * Runs `work` while no other process that asks the same server does.
 *
 * ClickHouse has no locks, but of several `CREATE TABLE` of one name exactly one succeeds. The lock is a table
 * `schema_migrations_lock_<generation>`; its holder touches it while it works and drops it after. A lock that
 * nobody touched for 20 s was left by a process that died: whoever creates the next generation takes over,
 * and counts as holder only if the dead lock is then still the one that it saw. On a cluster the lock
 * holds among those that ask the same server; across servers the statements themselves are repeatable.
 */
export async function withMigrationLock<Result>(
  client: ClickHouseClient,
  work: () => Promise<Result>,
): Promise<Result> {
  const table = await acquire(client)
  const heartbeat = setInterval(() => {
    // A heartbeat that fails is followed by others; if all fail, so will the work itself.
    touch(client, table).catch(() => undefined)
  }, HEARTBEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    await drop(client, table)
  }
}

async function acquire(client: ClickHouseClient): Promise<string> {
  const deadline = performance.now() + GIVE_UP_AFTER_MS
  while (performance.now() < deadline) {
    const seen = (await locks(client)).at(-1)
    if (seen === undefined || seen.idle_seconds >= STALE_AFTER_SECONDS) {
      const generation = (seen?.generation ?? 0) + 1
      if ((await create(client, generation)) && (await isMine(client, generation, seen)))
        return tableOf(generation)
    }
    await wait(PAUSE_MS)
  }
  throw new AppError(
    'MIGRATION_FAILED',
    `another process has been migrating the warehouse for more than ${GIVE_UP_AFTER_MS / 1000} s; if none is, drop the tables whose names begin with ${PREFIX}`,
    { retriable: true },
  )
}

/**
 * Between the look and the creation the dead lock may have been dropped and the lock been taken anew. So the
 * new lock counts only if what was seen is still all that there is below it, and nothing is above it.
 */
async function isMine(
  client: ClickHouseClient,
  generation: number,
  seen: Lock | undefined,
): Promise<boolean> {
  const others = (await locks(client)).filter((lock) => lock.generation !== generation)
  const asSeen = seen === undefined ? others.length === 0 : others.some((lock) => lock.uuid === seen.uuid)
  if (!asSeen || others.some((lock) => lock.generation > generation)) {
    await drop(client, tableOf(generation))
    return false
  }
  for (const lock of others) await drop(client, tableOf(lock.generation))
  return true
}

async function drop(client: ClickHouseClient, table: string) {
  await client.command({ query: `DROP TABLE IF EXISTS ${table}` })
}

function tableOf(generation: number): string {
  return `${PREFIX}${generation}`
}

async function create(client: ClickHouseClient, generation: number): Promise<boolean> {
  try {
    await client.command({
      query: `CREATE TABLE ${tableOf(generation)} (unused UInt8) ENGINE = MergeTree ORDER BY unused`,
    })
    return true
  } catch (error) {
    if (error instanceof ClickHouseError && error.code === TABLE_ALREADY_EXISTS) return false
    throw error
  }
}

async function touch(client: ClickHouseClient, table: string) {
  await client.command({ query: `ALTER TABLE ${table} MODIFY COMMENT '${new Date().toISOString()}'` })
}

async function locks(client: ClickHouseClient): Promise<Lock[]> {
  const rows = await client.query({
    query: `SELECT toUInt32OrZero(substring(name, ${PREFIX.length + 1})) AS generation, toString(uuid) AS uuid,
                   now() - metadata_modification_time AS idle_seconds
            FROM system.tables
            WHERE database = currentDatabase() AND startsWith(name, '${PREFIX}')
            ORDER BY generation`,
    format: 'JSONEachRow',
  })
  return z.array(lockRow).parse(await rows.json())
}

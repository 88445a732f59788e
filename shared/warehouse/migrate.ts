import { setTimeout as wait } from 'node:timers/promises'
import { ClickHouseError } from '@clickhouse/client'
import type { Logger } from 'pino'
import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'
import { createWarehouseClient, type ClickHouseClient, type WarehouseConnection } from './client.ts'
import { readMigrations, type Migration } from './migration-files.ts'
import { withMigrationLock } from './migration-lock.ts'
import { applyRetention } from './migration-retention.ts'
import { expandMigration, onCluster, splitStatements } from './migration-statements.ts'

export type MigrateOptions = {
  /** Name of the ClickHouse cluster; absent on a single server. */
  readonly cluster?: string | undefined
  readonly rawRetentionDays: number
  /** How long the warehouse may take to answer its first query, milliseconds. */
  readonly waitMs?: number
  /** The migrations to apply; those of this version unless a test brings its own. */
  readonly migrations?: readonly Migration[]
  readonly log?: Pick<Logger, 'info'>
}

const PAUSE_MS = 250
const DEFAULT_WAIT_MS = 60_000

const appliedRow = z.object({ name: z.string(), checksum: z.string() })

/**
 * Brings the warehouse's database to this version's schema: creates it if need be, applies the migrations
 * that it has not seen, in order and each once, and sets the retention of raw events.
 *
 * Safe to call from several processes at once. Throws the AppError `WAREHOUSE_UNAVAILABLE` when the warehouse
 * does not answer within `waitMs`, `WAREHOUSE_REFUSED` when it refuses the user, and `MIGRATION_FAILED` when a
 * statement fails or an applied migration's file was changed afterwards.
 */
export async function migrateWarehouse(
  connection: WarehouseConnection,
  options: MigrateOptions,
): Promise<{ applied: string[] }> {
  const migrations = options.migrations ?? readMigrations()
  const server = createWarehouseClient({ ...connection, database: 'default' }, 'keywatch-migrate')
  try {
    await untilAnswers(server, connection.url, options.waitMs ?? DEFAULT_WAIT_MS)
    await run(server, `CREATE DATABASE IF NOT EXISTS ${connection.database} ${onCluster(options.cluster)}`)
  } finally {
    await server.close()
  }
  const client = createWarehouseClient(connection, 'keywatch-migrate')
  try {
    await createLedger(client, options.cluster)
    const pending = await pendingMigrations(client, migrations)
    const applied =
      pending.length === 0 ? [] : await withMigrationLock(client, () => applyAll(client, migrations, options))
    await applyRetention(client, options)
    return { applied }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw migrationFailed('the warehouse could not be migrated', error)
  } finally {
    await client.close()
  }
}

async function applyAll(
  client: ClickHouseClient,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<string[]> {
  const applied: string[] = []
  // What is pending may have changed while this process waited for the lock.
  for (const migration of await pendingMigrations(client, migrations)) {
    for (const statement of splitStatements(expandMigration(migration.template, options))) {
      await run(client, statement, migration.name)
    }
    await client.insert({
      table: 'schema_migrations',
      values: [{ name: migration.name, checksum: migration.checksum, applied_at: Date.now() }],
      format: 'JSONEachRow',
      columns: ['name', 'checksum', 'applied_at'],
      clickhouse_settings: { async_insert: 0 },
    })
    applied.push(migration.name)
    options.log?.info({ migration: migration.name }, 'migration applied')
  }
  return applied
}

async function pendingMigrations(
  client: ClickHouseClient,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const rows = await client.query({
    query: 'SELECT name, any(checksum) AS checksum FROM schema_migrations GROUP BY name',
    format: 'JSONEachRow',
  })
  const checksums = new Map(
    z
      .array(appliedRow)
      .parse(await rows.json())
      .map(({ name, checksum }) => [name, checksum]),
  )
  return migrations.filter(({ name, checksum }) => {
    const appliedChecksum = checksums.get(name)
    if (appliedChecksum === undefined) return true
    if (appliedChecksum === checksum) return false
    throw migrationFailed(
      `the migration ${name} was changed after it had been applied; put the file back as it was and write a new migration for the change`,
    )
  })
}

async function createLedger(client: ClickHouseClient, cluster: string | undefined) {
  const engine = cluster === undefined ? 'MergeTree' : 'ReplicatedMergeTree'
  await run(
    client,
    `CREATE TABLE IF NOT EXISTS schema_migrations ${onCluster(cluster)}
     (
         name String COMMENT 'File of the migration',
         checksum String COMMENT 'SHA-256 of its text, hexadecimal',
         applied_at DateTime64(3, 'UTC') COMMENT 'When it had been applied, milliseconds'
     )
     ENGINE = ${engine}() ORDER BY name
     SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
     COMMENT 'Migrations applied to this database'`,
  )
}

async function run(client: ClickHouseClient, statement: string, migration?: string) {
  try {
    await client.command({ query: statement })
  } catch (error) {
    const place = migration === undefined ? '' : ` of the migration ${migration}`
    throw migrationFailed(`the statement "${firstLine(statement)}"${place} failed`, error)
  }
}

async function untilAnswers(client: ClickHouseClient, url: string, waitMs: number) {
  const deadline = performance.now() + waitMs
  for (;;) {
    const answer = await client.ping({ select: true })
    if (answer.success) return
    if (answer.error instanceof ClickHouseError) {
      throw new AppError(
        'WAREHOUSE_REFUSED',
        `the warehouse at ${url} answers but refuses: ${answer.error.message.trim()}; check warehouse.username and the password`,
        { cause: answer.error, retriable: false },
      )
    }
    if (performance.now() >= deadline) {
      throw new AppError(
        'WAREHOUSE_UNAVAILABLE',
        `the warehouse at ${url} did not answer within ${waitMs} ms; start it or correct warehouse.url`,
        { cause: answer.error, retriable: true },
      )
    }
    await wait(PAUSE_MS)
  }
}

function migrationFailed(message: string, cause?: unknown): AppError {
  const detail = cause instanceof Error ? `: ${cause.message.trim()}` : ''
  return new AppError('MIGRATION_FAILED', message + detail, { cause, retriable: false })
}

function firstLine(statement: string): string {
  return (statement.split('\n', 1)[0] ?? '').slice(0, 200).trim()
}

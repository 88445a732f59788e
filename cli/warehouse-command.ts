import { userInfo } from 'node:os'
import { ClickHouseError } from '@clickhouse/client'
import type { Config } from '#shared/config/config.ts'
import { loadConfig } from '#shared/config/load-config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'

/**
 * Does a command's work with a connection to the configured warehouse, and closes it. A warehouse that is away, refuses,
 * or lacks the schema becomes an AppError that says what to do.
 */
export async function withWarehouse<Answer>(
  work: (client: ClickHouseClient, config: Config) => Promise<Answer>,
): Promise<Answer> {
  const config = loadConfig(process.env)
  const client = createWarehouseClient(warehouseConnection(config), 'keywatch-cli')
  try {
    return await work(client, config)
  } catch (error) {
    throw explained(error, config.warehouse.url)
  } finally {
    await client.close()
  }
}

/** ClickHouse's UNKNOWN_TABLE and UNKNOWN_DATABASE. */
const NOT_MIGRATED = new Set(['60', '81'])
/** Wrong user or password. */
const NOT_ADMITTED = new Set(['193', '194', '516'])
const CONNECTION_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH'])

function explained(error: unknown, url: string): unknown {
  if (error instanceof ClickHouseError && NOT_MIGRATED.has(error.code)) {
    return new AppError(
      'WAREHOUSE_REFUSED',
      `the warehouse at ${url} has no such table yet; run: keywatch migrate`,
      {
        cause: error,
        retriable: false,
      },
    )
  }
  if (error instanceof ClickHouseError && NOT_ADMITTED.has(error.code)) {
    return new AppError(
      'WAREHOUSE_REFUSED',
      `the warehouse at ${url} refuses the user; check warehouse.username and the password`,
      { cause: error, retriable: false },
    )
  }
  if (error instanceof Error && 'code' in error && CONNECTION_CODES.has(String(error.code))) {
    return new AppError(
      'WAREHOUSE_UNAVAILABLE',
      `the warehouse at ${url} does not answer; start it (keywatch up, or keywatch warehouse) or correct warehouse.url`,
      { cause: error, retriable: true },
    )
  }
  return error
}

/** Whose name stands beside what is stated, where none is given. */
export function defaultAuthor(): string {
  try {
    return userInfo().username
  } catch {
    // A container's user need not have a name.
    return 'unknown'
  }
}

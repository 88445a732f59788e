import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client'

export type { ClickHouseClient }

/** How to reach ClickHouse, embedded or a server: nothing but these values differs. */
export type WarehouseConnection = {
  readonly url: string
  readonly username: string
  readonly password: string
  readonly database: string
}

/** One try of an insert or a query may take this long; below every session time-out of the event log. */
const REQUEST_TIMEOUT_MS = 30_000

/** A client that keeps its connections; compression costs more than it saves on one machine or one network. */
export function createWarehouseClient(
  connection: WarehouseConnection,
  application: string,
): ClickHouseClient {
  return createClient({
    ...connection,
    application,
    request_timeout: REQUEST_TIMEOUT_MS,
    max_open_connections: 8,
    compression: { request: false, response: false },
    keep_alive: { enabled: true },
    // Every failure is thrown and logged where it is handled; the client's own lines would quote statements.
    log: { level: ClickHouseLogLevel.OFF },
  })
}

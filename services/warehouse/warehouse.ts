import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { listen, type ListenAddress } from '#shared/http/listen.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { startAll, type Stop } from '#shared/runtime/lifecycle.ts'
import type { Fail } from '#shared/runtime/run-service.ts'
import { ensureWarehousePassword, warehouseDirectory } from '#shared/warehouse/password.ts'
import { openEngine, type Engine } from './engine.ts'
import { createHttpInterface } from './http-interface.ts'
import { createQuerySlots } from './query-slots.ts'
import { openSpool, type Spool } from './spool.ts'

/** Threads of libuv's pool unless the environment variable UV_THREADPOOL_SIZE says otherwise. */
export const DEFAULT_POOL_THREADS = 4
/** Statements that wait beyond this are refused; a client that keeps so many would rather be told. */
const WAITING_MAX = 100

/**
 * Starts the embedded warehouse: the engine on `<data_directory>/warehouse`, behind ClickHouse's HTTP interface
 * on the address of `warehouse.url`. Makes the password at the first start. Resolves when it accepts queries.
 *
 * Statements run on libuv's pool of `poolThreads`. One thread stays free for files, compression and for stopping
 * a statement, and one of the others is never taken by a read, so that no read keeps an insert waiting.
 */
export async function startWarehouse(
  config: Pick<Config, 'data_directory' | 'warehouse' | 'stop_deadline_ms'>,
  parts: { readonly log: Logger; readonly fail: Fail; readonly poolThreads: number },
): Promise<Stop> {
  const { log, fail, poolThreads } = parts
  const running = Math.max(2, poolThreads - 1)
  const slots = createQuerySlots({ running, runningReads: running - 1, waiting: WAITING_MAX })
  const address = warehouseAddress(config.warehouse.url)
  const directory = warehouseDirectory(config.data_directory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let engine: Engine | undefined
  let spool: Spool | undefined
  return startAll(
    async () => {
      engine = await openEngine(join(directory, 'engine'), slots)
      return engine.stop
    },
    async () => {
      if (engine === undefined) throw new Error('the engine is started first')
      // Only who has the engine's lock may touch the files beside it.
      spool = openSpool(join(directory, 'spool'))
      await reportBrokenParts(engine, log)
      const password = config.warehouse.password ?? ensureWarehousePassword(config.data_directory)
      const credentials = { username: config.warehouse.username, password }
      const server = createHttpInterface({ engine, spool, credentials, log, fail })
      const { port, stop } = await listen(server, address)
      log.info({ host: address.host, port, engine: engine.version }, 'listening')
      return () => stopWithin(config.stop_deadline_ms / 2, server, stop)
    },
  )
}

/**
 * Where the URL says to listen. The embedded warehouse speaks plain HTTP and answers this machine only; anything
 * else is the AppError `CONFIG_INVALID`.
 */
export function warehouseAddress(url: string): ListenAddress {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isLoopback = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
  if (protocol !== 'http:' || !isLoopback) {
    throw new AppError(
      'CONFIG_INVALID',
      `the embedded warehouse listens on this machine only, so warehouse.url must be like http://127.0.0.1:8123, not ${url}; to use a ClickHouse server there, set its password and do not start the embedded warehouse`,
      { retriable: false },
    )
  }
  return { host, port: port === '' ? 80 : Number(port) }
}

/** Lets requests finish, but cuts off those that take longer, which stops their reads. */
async function stopWithin(graceMs: number, server: Server, stop: Stop) {
  const cutOff = setTimeout(() => server.closeAllConnections(), graceMs)
  try {
    await stop()
  } finally {
    clearTimeout(cutOff)
  }
}

/** A part that the engine could not read at its start is set aside without a word, and its rows with it. */
async function reportBrokenParts(engine: Engine, log: Logger) {
  const result = await engine.run({
    sql: "SELECT database, table, count() AS parts FROM system.detached_parts WHERE reason LIKE 'broken%' GROUP BY ALL",
    format: 'JSONEachRow',
    kind: 'write',
    scope: { settings: new Map(), parameters: new Map() },
  })
  const lines = Buffer.from(result.bytes).toString('utf8').trim()
  for (const line of lines === '' ? [] : lines.split('\n')) {
    log.error(
      { broken: JSON.parse(line) },
      'the engine set broken parts aside and their rows are missing; restore them from a backup or read the event log again',
    )
  }
}

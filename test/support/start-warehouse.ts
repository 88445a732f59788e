import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configSchema } from '#shared/config/config.ts'
import type { WarehouseConnection } from '#shared/warehouse/client.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { freePort } from './free-port.ts'
import { spawnService, type SpawnedService } from './spawn-service.ts'

export type TestWarehouse = {
  /** Names the database `keywatch`, which is there only after `migrateWarehouse`. */
  readonly connection: WarehouseConnection
  readonly url: string
  /** The `data_directory` of the configuration. */
  readonly dataDirectory: string
  readonly process: () => SpawnedService
  /** Ends the warehouse and removes its directory. */
  readonly stop: () => Promise<void>
  readonly kill9: () => Promise<void>
  /** Starts it again on the same directory and address, after stopping it if it runs. */
  readonly restart: () => Promise<void>
}

/** Starts the real embedded warehouse as a process of its own, in a temporary directory, on a free port. */
export async function startTestWarehouse(env: Readonly<Record<string, string>> = {}): Promise<TestWarehouse> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'keywatch-warehouse-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const start = async () => {
    const started = spawnService({
      name: 'warehouse',
      env: { KEYWATCH_DATA_DIRECTORY: dataDirectory, KEYWATCH_WAREHOUSE__URL: url, ...env },
      cwd: dataDirectory,
    })
    await started.waitForOutput(/"msg":"listening"/)
    return started
  }
  let running = await start()
  const config = configSchema.parse({ data_directory: dataDirectory, warehouse: { url } })
  return {
    connection: warehouseConnection(config),
    url,
    dataDirectory,
    process: () => running,
    stop: async () => {
      await running.kill()
      await rm(dataDirectory, { recursive: true, force: true })
    },
    kill9: async () => {
      await running.kill('SIGKILL')
    },
    restart: async () => {
      await running.kill()
      running = await start()
    },
  }
}

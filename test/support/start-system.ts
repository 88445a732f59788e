import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createWarehouseClient,
  type ClickHouseClient,
  type WarehouseConnection,
} from '#shared/warehouse/client.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { startAlertReceiver, type AlertReceiver } from './alert-receiver.ts'
import { freePort } from './free-port.ts'
import { createWebhookSigner, type WebhookSigner } from './signed-webhook.ts'
import { spawnService, type SpawnedService } from './spawn-service.ts'
import { startTestWarehouse } from './start-warehouse.ts'

/** 64 hexadecimal digits: what a deployment would keep as its secret. */
export const HASH_KEY = 'a1'.repeat(32)
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 'end to end').toString('base64')}`
/** Two detectors: on Kafka they share the partitions, on the embedded log the second stands by. */
const PROCESSES = ['detector', 'detector-2', 'notifier', 'ingest'] as const
type ProcessName = (typeof PROCESSES)[number]

export type RunningSystem = {
  readonly ingestPort: number
  readonly signer: WebhookSigner
  readonly receiver: AlertReceiver
  readonly connection: WarehouseConnection
  readonly warehouse: ClickHouseClient
  /** Ends the process as a power cut would, and starts it again. */
  readonly killAndRestart: (name: 'warehouse' | ProcessName) => Promise<void>
  /** SIGTERM to every service; resolves with how each ended. */
  readonly stop: () => Promise<void>
  readonly output: () => string
}

/**
 * The whole system as its real processes: warehouse over HTTP, ingest, two detectors and notifier on the event log at
 * `eventLogUrl` (the embedded one in a temporary folder unless given), one source `main`, and a receiver of signed alerts.
 * `prepare` runs on the migrated warehouse before any service reads it.
 */
export async function startSystem(options: {
  readonly eventLogUrl?: string
  readonly prepare: (warehouse: ClickHouseClient) => Promise<void>
}): Promise<RunningSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'keywatch-e2e-'))
  const store = await startTestWarehouse()
  await migrateWarehouse(store.connection, { rawRetentionDays: 90 })
  const warehouse = createWarehouseClient(store.connection, 'keywatch-e2e')
  await options.prepare(warehouse)
  const signer = createWebhookSigner()
  const receiver = await startAlertReceiver([WEBHOOK_SECRET])
  const ports = {
    ingest: await freePort(),
    ingestAdmin: await freePort(),
    detector: await freePort(),
    secondDetector: await freePort(),
    notifier: await freePort(),
  }
  const env = {
    KEYWATCH_DATA_DIRECTORY: folder,
    KEYWATCH_SOURCES: JSON.stringify({ main: { public_keys: [signer.publicKey] } }),
    KEYWATCH_EVENT_LOG__URL: options.eventLogUrl ?? `file:${join(folder, 'event-log')}`,
    KEYWATCH_EVENT_LOG__SESSION_TIMEOUT_MS: '6000',
    KEYWATCH_WAREHOUSE__URL: store.url,
    KEYWATCH_WAREHOUSE__PASSWORD: store.connection.password,
    KEYWATCH_PRIVACY__HASH_KEY: HASH_KEY,
    KEYWATCH_INGEST__LISTEN: `127.0.0.1:${ports.ingest}`,
    KEYWATCH_INGEST__ADMIN_LISTEN: `127.0.0.1:${ports.ingestAdmin}`,
    KEYWATCH_DETECTOR__ADMIN_LISTEN: `127.0.0.1:${ports.detector}`,
    KEYWATCH_NOTIFIER__ADMIN_LISTEN: `127.0.0.1:${ports.notifier}`,
    KEYWATCH_NOTIFIER__CHANNELS: JSON.stringify({
      pager: { type: 'webhook', url: receiver.url, secrets: [WEBHOOK_SECRET], allow_private_address: true },
    }),
  }
  const running = new Map<string, SpawnedService>()
  const start = async (name: ProcessName) => {
    const second = { ...env, KEYWATCH_DETECTOR__ADMIN_LISTEN: `127.0.0.1:${ports.secondDetector}` }
    const service =
      name === 'detector-2'
        ? spawnService({ name: 'detector', env: second, cwd: folder })
        : spawnService({ name, env, cwd: folder })
    running.set(name, service)
    await service.waitForOutput(/"msg":"started"/, 60_000)
  }
  await Promise.all(PROCESSES.map(start))
  const restarts = new Map<string, Promise<void>>()
  const killAndRestart = async (name: 'warehouse' | ProcessName) => {
    if (name === 'warehouse') {
      await store.kill9()
      await store.restart()
      return
    }
    await running.get(name)?.kill('SIGKILL')
    await start(name)
  }
  return {
    ingestPort: ports.ingest,
    signer,
    receiver,
    connection: store.connection,
    warehouse,
    killAndRestart: (name) => {
      // One after the other per process: a kill is meant for one that works.
      const restarted = (restarts.get(name) ?? Promise.resolve()).then(() => killAndRestart(name))
      restarts.set(name, restarted)
      return restarted
    },
    stop: async () => {
      await Promise.allSettled(restarts.values())
      for (const service of running.values()) await service.kill()
      await receiver.close()
      await warehouse.close()
      await store.stop()
      await rm(folder, { recursive: true, force: true })
    },
    output: () => [...running].map(([name, service]) => `--- ${name}\n${service.output()}`).join('\n'),
  }
}

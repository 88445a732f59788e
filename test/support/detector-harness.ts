import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alertSchema, type Alert } from '#shared/domain/alert.ts'
import type { EventMessage } from '#shared/domain/log-message.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { openTestLog } from './open-test-log.ts'
import { readLog } from './read-log.ts'
import { spawnService, type SpawnedService } from './spawn-service.ts'
import { startTestWarehouse, type TestWarehouse } from './start-warehouse.ts'
import { countOf, differingRollupCells } from './stored-events.ts'

export type DetectorHarness = {
  readonly eventLog: EventLog
  readonly warehouse: TestWarehouse
  readonly client: ClickHouseClient
  readonly startDetector: () => Promise<SpawnedService>
  /** Starts it without waiting for anything. */
  readonly spawnDetector: () => SpawnedService
  readonly append: (messages: readonly EventMessage[]) => Promise<void>
  /** Waits until the warehouse holds this many events. */
  readonly storedEvents: (count: number, timeoutMs?: number) => Promise<void>
  /** Everything appended to the alert topic so far. */
  readonly alerts: () => Promise<readonly Alert[]>
  /** Waits until every rollup cell is its raw events' count: the views write a moment after the events. */
  readonly rollupsEqualRaw: () => Promise<void>
  readonly metric: (name: string) => Promise<number>
  readonly stop: () => Promise<void>
}

/** A real `file:` log and a real warehouse in temporary directories, and the detector as a process of its own. */
export async function startDetectorHarness(
  env: Readonly<Record<string, string>> = {},
): Promise<DetectorHarness> {
  const warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
  const client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
  const directory = await mkdtemp(join(tmpdir(), 'keywatch-detector-'))
  const url = env['KEYWATCH_EVENT_LOG__URL'] ?? `file:${join(directory, 'event-log')}`
  const eventLog = await openTestLog({ url, partitions: 4 })
  const adminPort = await freePort()
  const spawned: SpawnedService[] = []
  const alertReader = await readLog(eventLog, { topic: topics.alerts, group: 'tests' })

  const spawnDetector = () => {
    const service = spawnService({
      name: 'detector',
      cwd: directory,
      env: {
        KEYWATCH_DATA_DIRECTORY: warehouse.dataDirectory,
        KEYWATCH_WAREHOUSE__URL: warehouse.url,
        KEYWATCH_EVENT_LOG__URL: url,
        KEYWATCH_DETECTOR__ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
        KEYWATCH_PRIVACY__HASH_KEY: 'a key for tests',
        ...env,
      },
    })
    spawned.push(service)
    return service
  }

  return {
    eventLog,
    warehouse,
    client,
    spawnDetector,
    startDetector: async () => {
      const service = spawnDetector()
      await service.waitForOutput(/"msg":"started"/)
      return service
    },
    append: async (messages) => {
      const records = messages.map((message) => ({ key: message.key, value: JSON.stringify(message) }))
      for (let at = 0; at < records.length; at += 1000) {
        await eventLog.append(topics.events, records.slice(at, at + 1000))
      }
    },
    storedEvents: async (count, timeoutMs = 60_000) => {
      await eventually(async () => (await countOf(client, 'SELECT count() AS count FROM events')) >= count, {
        timeoutMs,
        what: `${count} events are stored; detector:\n${spawned.at(-1)?.output().slice(-3000)}`,
      })
    },
    alerts: () => Promise.resolve(alertReader.records.map(({ text }) => alertSchema.parse(JSON.parse(text)))),
    rollupsEqualRaw: async () => {
      await eventually(async () => (await differingRollupCells(client)) === 0, {
        timeoutMs: 10_000,
        what: 'the rollups equal the raw events',
      })
    },
    metric: async (name) => {
      const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
      const line = (await response.text()).split('\n').find((text) => text.startsWith(`${name} `))
      return Number(line?.split(' ').at(-1) ?? 0)
    },
    stop: async () => {
      for (const service of spawned) await service.kill()
      await alertReader.stop()
      await eventLog.close()
      await client.close()
      await warehouse.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** The first of what was found; throws while there is none, for `eventually`. */
export function firstOf<Found>(found: readonly Found[]): Found {
  const [first] = found
  if (first === undefined) throw new Error('nothing found yet')
  return first
}

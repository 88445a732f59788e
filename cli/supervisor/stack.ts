import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import type { WarehouseConnection } from '#shared/warehouse/client.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { formatAddress } from './addresses.ts'
import { superviseProcess, type ProcessEvents, type SupervisedProcess } from './supervised-process.ts'
import { untilAnswers } from './until-answers.ts'

export type Stack = {
  readonly config: Config
  /** Absent when ClickHouse is a server of one's own. */
  readonly ownsWarehouse: boolean
  readonly connection: WarehouseConnection
  /** Starts one more process under the same supervision; it is stopped before the services are. */
  readonly startExtra: (name: string, script: string, extraArguments: readonly string[]) => void
  readonly stop: () => Promise<void>
}

export type StackOptions = {
  readonly config: Config
  /** What the services see; it holds the same configuration as `config`. */
  readonly environment: NodeJS.ProcessEnv
  readonly events: ProcessEvents
  /** Runs when the warehouse is ready and before any service reads it. */
  readonly beforeServices?: (connection: WarehouseConnection) => Promise<void>
  /** Ends the waiting when the person gives up during the start. */
  readonly signal: AbortSignal
}

/** Services in the order they start; they stop in reverse, the warehouse after all others. */
const PIPELINE = ['detector', 'notifier', 'ingest'] as const
/** The engine's statements run on libuv's threads; the number can only be set before the process starts. */
const THREADS: Readonly<Record<string, string>> = { warehouse: '12' }
const DEFAULT_THREADS = '4'
/** The objects of a request or of a block die young: room for them saves a tenth of the processor time and more. */
const NODE_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  ingest: ['--max-semi-space-size=32'],
  detector: ['--max-semi-space-size=32'],
}
const START_DEADLINE_MS = 60_000
const EXTRA_STOP_MS = 2000

/**
 * Starts the whole system as separate processes and resolves when every part is ready.
 *
 * The embedded warehouse runs unless a warehouse password is configured, which means a ClickHouse of one's own.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { config, environment, events, signal } = options
  const running: SupervisedProcess[] = []
  const start = (name: string, script: string, extraArguments: readonly string[] = []) => {
    const spec = {
      name,
      arguments: [...(NODE_OPTIONS[name] ?? []), '--import', tsxLoader(), script, ...extraArguments],
      environment: { UV_THREADPOOL_SIZE: THREADS[name] ?? DEFAULT_THREADS, ...environment },
    }
    running.push(superviseProcess(spec, events))
  }
  const stop = async () => {
    for (let process = running.pop(); process !== undefined; process = running.pop()) {
      await process.stop(isService(process.name) ? config.stop_deadline_ms + 2000 : EXTRA_STOP_MS)
    }
  }
  try {
    const ownsWarehouse = config.warehouse.password === undefined
    if (ownsWarehouse) {
      start('warehouse', serviceScript('warehouse'))
      await untilAnswers(new URL('/ping', config.warehouse.url), { deadlineMs: START_DEADLINE_MS, signal })
    }
    const connection = warehouseConnection(config)
    await migrateWarehouse(connection, {
      rawRetentionDays: config.warehouse.raw_retention_days,
      ...(config.warehouse.cluster === undefined ? {} : { cluster: config.warehouse.cluster }),
    })
    await options.beforeServices?.(connection)
    for (const name of PIPELINE) start(name, serviceScript(name))
    await Promise.all(
      PIPELINE.map((name) =>
        untilAnswers(new URL(`http://${formatAddress(config[name].admin_listen)}/readyz`), {
          deadlineMs: START_DEADLINE_MS,
          signal,
        }),
      ),
    )
    return { config, ownsWarehouse, connection, startExtra: start, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function isService(name: string): boolean {
  return name === 'warehouse' || PIPELINE.some((service) => service === name)
}

function serviceScript(name: string): string {
  const script = fileURLToPath(new URL(`../../services/${name}/main.ts`, import.meta.url))
  if (!existsSync(script)) {
    throw new AppError('SERVICE_FAILED', `${script} is missing; the checkout is incomplete.`, {
      retriable: false,
    })
  }
  return script
}

/** The absolute place of the TypeScript loader, so that the command works from any folder. */
function tsxLoader(): string {
  return import.meta.resolve('tsx')
}

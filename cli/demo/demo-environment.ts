import { join } from 'node:path'
import type { Config } from '#shared/config/config.ts'
import { ensureSimulatorKeys, simulatorSourcesConfig } from '../simulator/sources.ts'
import { formatAddress, freeAddress } from '../supervisor/addresses.ts'

/**
 * The environment of the demo: the simulated organisation's sources, a data directory of its own, so that
 * simulated events never meet real ones, and free ports where the usual ones are taken.
 */
export async function demoEnvironment(
  config: Config,
  environment: NodeJS.ProcessEnv,
): Promise<NodeJS.ProcessEnv> {
  const dataDirectory = join(config.data_directory, 'demo')
  const keys = await ensureSimulatorKeys(dataDirectory)
  const [ingest, ingestAdmin, detectorAdmin, notifierAdmin, warehouse] = await Promise.all([
    freeAddress(config.ingest.listen),
    freeAddress(config.ingest.admin_listen),
    freeAddress(config.detector.admin_listen),
    freeAddress(config.notifier.admin_listen),
    freeAddress({ host: '127.0.0.1', port: Number(new URL(config.warehouse.url).port) }),
  ])
  return {
    ...environment,
    KEYWATCH_DATA_DIRECTORY: dataDirectory,
    KEYWATCH_SOURCES: JSON.stringify(simulatorSourcesConfig(keys)),
    KEYWATCH_EVENT_LOG__URL: `file:${join(dataDirectory, 'event-log')}`,
    KEYWATCH_INGEST__LISTEN: formatAddress(ingest),
    KEYWATCH_INGEST__ADMIN_LISTEN: formatAddress(ingestAdmin),
    KEYWATCH_DETECTOR__ADMIN_LISTEN: formatAddress(detectorAdmin),
    KEYWATCH_NOTIFIER__ADMIN_LISTEN: formatAddress(notifierAdmin),
    KEYWATCH_WAREHOUSE__URL: `http://${formatAddress(warehouse)}`,
  }
}

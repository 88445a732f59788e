import { loadConfig } from '#shared/config/load-config.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { startAll } from '#shared/runtime/lifecycle.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { runService } from '#shared/runtime/run-service.ts'
import { createWarehouseClient } from '#shared/warehouse/client.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { startDetector } from './detector.ts'

const config = loadConfig(process.env)
const log = createLogger('detector', config.log_level)

await runService(
  async (fail) => {
    const connection = warehouseConnection(config)
    await migrateWarehouse(connection, {
      cluster: config.warehouse.cluster,
      rawRetentionDays: config.warehouse.raw_retention_days,
      log,
    })
    const eventLog = await openEventLog(config.event_log, { log, clientId: 'keywatch-detector' })
    const client = createWarehouseClient(connection, 'keywatch-detector')
    return startAll(
      async () => () => eventLog.close(),
      async () => () => client.close(),
      () => startDetector({ config, eventLog, client, log, fail }),
    )
  },
  { log, stopDeadlineMs: config.stop_deadline_ms },
)

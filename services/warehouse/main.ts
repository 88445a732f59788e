import { loadConfig } from '#shared/config/load-config.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { runService } from '#shared/runtime/run-service.ts'
import { startWarehouse } from './warehouse.ts'

const config = loadConfig(process.env)
const log = createLogger('warehouse', config.log_level)
await runService((fail) => startWarehouse(config, log, fail), {
  log,
  stopDeadlineMs: config.stop_deadline_ms,
})

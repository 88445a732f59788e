import { loadConfig } from '#shared/config/load-config.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { runService } from '#shared/runtime/run-service.ts'
import { DEFAULT_POOL_THREADS, startWarehouse } from './warehouse.ts'

const config = loadConfig(process.env)
const log = createLogger('warehouse', config.log_level)
// libuv's own variable, which it reads before any of our code runs.
const poolThreads = Number(process.env['UV_THREADPOOL_SIZE'] ?? DEFAULT_POOL_THREADS)
await runService((fail) => startWarehouse(config, { log, fail, poolThreads }), {
  log,
  stopDeadlineMs: config.stop_deadline_ms,
})

import { loadConfig } from '#shared/config/load-config.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { startAll } from '#shared/runtime/lifecycle.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { runService } from '#shared/runtime/run-service.ts'
import { startIngest } from './ingest.ts'

const config = loadConfig(process.env)
const log = createLogger('ingest', config.log_level)

await runService(
  async () => {
    const eventLog = await openEventLog(config.event_log, { log, clientId: 'keywatch-ingest' })
    return startAll(
      async () => () => eventLog.close(),
      async () => (await startIngest({ config, eventLog, log })).stop,
    )
  },
  { log, stopDeadlineMs: config.stop_deadline_ms },
)

import { loadConfig } from '#shared/config/load-config.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { startAll } from '#shared/runtime/lifecycle.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { runService } from '#shared/runtime/run-service.ts'
import { startNotifier } from './notifier.ts'

const config = loadConfig(process.env)
const log = createLogger('notifier', config.log_level)
const { FORCE_COLOR: forced = '', NO_COLOR: unwanted = '' } = process.env
const coloured = unwanted === '' && (process.stdout.isTTY || (forced !== '' && forced !== '0'))

await runService(
  async (fail) => {
    const eventLog = await openEventLog(config.event_log, { log, clientId: 'keywatch-notifier' })
    return startAll(
      async () => () => eventLog.close(),
      () =>
        startNotifier({
          eventLog,
          config: config.notifier,
          log,
          terminal: { output: process.stdout, coloured },
          random: Math.random,
          nowMs: Date.now,
          fail,
        }),
    )
  },
  { log, stopDeadlineMs: config.stop_deadline_ms },
)

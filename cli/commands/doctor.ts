import type { Command } from 'commander'
import { loadConfig } from '#shared/config/load-config.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { createWarehouseClient } from '#shared/warehouse/client.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { runChecks, type CheckResult } from '../doctor/check.ts'
import { channelsCheck, channelTestChecks } from '../doctor/channel-checks.ts'
import {
  dataDirectoryCheck,
  eventLogCheck,
  sourcesCheck,
  tlsCheck,
  warehouseCheck,
} from '../doctor/checks.ts'

const marks = { ok: '✓', warning: '!', failed: '✗' } as const

/** `keywatch doctor`: checks everything that can be checked before the first event arrives. */
export function registerDoctor(program: Command) {
  program
    .command('doctor')
    .description('check the configuration and everything it points to')
    .option('--send-test', 'also send a test alert to every channel')
    .option('--json', 'print the results as JSON')
    .action(async (options: { json?: boolean; sendTest?: boolean }) => {
      const config = loadConfig(process.env)
      const log = createLogger('doctor', 'silent')
      const results = await runChecks([
        sourcesCheck(config),
        dataDirectoryCheck(config),
        eventLogCheck(() => openEventLog(config.event_log, { log, clientId: 'keywatch-doctor' })),
        warehouseCheck(() =>
          createWarehouseClient({ ...warehouseConnection(config), database: 'default' }, 'keywatch-doctor'),
        ),
        tlsCheck(config, Date.now()),
        channelsCheck(config),
        ...(options.sendTest === true ? channelTestChecks(config, Date.now()) : []),
      ])
      if (options.json === true) console.log(JSON.stringify({ checks: results }))
      else for (const result of results) console.log(describe(result))
      if (results.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1
    })
}

function describe({ name, outcome, found, advice }: CheckResult): string {
  return `${marks[outcome]} ${name.padEnd(15)} ${found}${advice === undefined ? '' : `\n  ${' '.repeat(15)} → ${advice}`}`
}

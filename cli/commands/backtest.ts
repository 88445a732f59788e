import type { Command } from 'commander'
import type { Config } from '#shared/config/config.ts'
import { loadConfigWithoutKeys } from '#shared/config/load-config.ts'
import { createAlertFile } from '../backtest/alert-file.ts'
import { backtestFile } from '../backtest/backtest-file.ts'
import { parseBacktestOptions, type BacktestOptions } from '../backtest/backtest-options.ts'

/** `keywatch backtest`: what the detector would have said about events of the past. */
export function registerBacktest(program: Command) {
  program
    .command('backtest')
    .description('what the detector would have said about events of the past')
    .option('--events <file>', 'one event a line, in order of arrival (.ndjson, .ndjson.gz)')
    .option('--since <duration>', "judge the warehouse's own history: 30d, 48h")
    .option('--config <file>', 'configuration with the attribution rules (default: keywatch.yaml)')
    .option('--alerts <file>', 'write a line whenever an alert opens, rises in severity or ends')
    .option('--json', 'the summary as JSON')
    .action((raw: unknown) => backtest(parseBacktestOptions(raw)))
}

async function backtest(options: BacktestOptions) {
  const config = configOf(options.config)
  if (options.events !== undefined) {
    const alerts = options.alerts === undefined ? undefined : createAlertFile(options.alerts)
    try {
      const run = await backtestFile(options.events, config, {
        drawn: false,
        onChange: (alert) => alerts?.add(alert),
      })
      console.log({ ...run, changes: run.changes.length, keys: run.keys.length })
    } finally {
      alerts?.close()
    }
  }
}

function configOf(file: string | undefined): Config {
  return loadConfigWithoutKeys(file === undefined ? process.env : { ...process.env, KEYWATCH_CONFIG: file })
}

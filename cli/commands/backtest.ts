import type { Command } from 'commander'
import { runEventBacktest } from '../backtest/event-backtest.ts'
import { parseBacktestOptions } from '../backtest/backtest-options.ts'
import { runSeriesBacktest } from '../backtest/series-backtest.ts'

const HELP = `
A line of events is SendGrid's event itself (it arrived when it happened), or
  {"received_at": <epoch seconds>, "source": "…", "event": {…}}
No service and no network is needed, but for --since. Memory does not grow with the length of the history, except
with --html, which keeps what it draws.`

/** `keywatch backtest`: what the detector would have said about the past. */
export function registerBacktest(program: Command) {
  program
    .command('backtest')
    .description('what the detector would have said about events of the past')
    .option('--events <file>', 'one event a line, in order of arrival; plain or gzip')
    .option('--since <duration>', "judge the warehouse's own events since then: 30d, 48h")
    .option('--config <file>', 'configuration with the attribution rules (default: keywatch.yaml)')
    .option('--alerts <file>', 'write a line whenever an alert opens, rises in severity or ends')
    .option('--labels <file>', 'what really happened, one JSON object a line: judges the alerts by it')
    .option('--knowledge <file>', 'what people know, as keywatch keys list --json prints it')
    .option('--compare <config>', 'a second configuration over the same events, side by side')
    .option('--html <file>', 'write one page with each incident drawn')
    .option('--series <file>', 'score a numeric series instead: CSV with timestamp,value')
    .option('--scores <file>', 'where --series writes timestamp,value,anomaly_score')
    .option('--json', 'the summary as JSON, and nothing else')
    .addHelpText('after', HELP)
    .action(async (raw: unknown) => {
      const { series, scores, ...options } = parseBacktestOptions(raw)
      if (series !== undefined && scores !== undefined) await runSeriesBacktest(series, scores, options)
      else await runEventBacktest(options)
    })
}

import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import type { Config } from '#shared/config/config.ts'
import { loadConfig } from '#shared/config/load-config.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { describeReport } from '../simulator/describe-report.ts'
import { runSimulation, type SimulationReport } from '../simulator/run-simulation.ts'
import { allScenarios, attacks, lookAlikes } from '../simulator/scenarios/all-scenarios.ts'
import { parseSimulateOptions, type SimulateOptions } from '../simulator/simulate-options.ts'
import { ensureSimulatorKeys, simulatorSourcesConfig } from '../simulator/sources.ts'
import { writeRange } from '../simulator/write-range.ts'
import { formatAddress } from '../supervisor/addresses.ts'
import { untilToldToStop } from '../supervisor/until-told-to-stop.ts'

const HELP = `
The simulated organisation posts to the sources main, billing and marketing. Ingest accepts them when it runs with
  KEYWATCH_SOURCES="$(keywatch simulate --print-sources)"
The signing keys and the position are kept in <data_directory>/simulator, so a restart goes on from where it stopped.`

/** `keywatch simulate`: an organisation's SendGrid traffic, as history, live, or in a file, and misuse on demand. */
export function registerSimulate(program: Command) {
  const command = program
    .command('simulate')
    .description("a simulated organisation's SendGrid webhooks: history, live signed traffic, attacks")
  addTrafficOptions(command)
  addScenarioOptions(command)
  addFileOptions(command)
  command
    .option(
      '--print-sources',
      "print the configuration's sources section for this simulation as JSON, and end",
    )
    .option('--list-scenarios', 'print what --scenario can name, and end')
    .option('--json', 'report in JSON, one object per line')
    .addHelpText('after', HELP)
    .action(run)
}

function addTrafficOptions(command: Command) {
  command
    .option('--ingest <url>', "where ingest listens (default: the configuration's ingest.listen)")
    .option('--no-live', 'load the history and end')
    .option('--history <duration>', 'first load so much history straight into the warehouse: 28d, 12h')
    .option('--seed <number>', 'the same seed and time give the same events (default: 1)')
    .option('--rate <factor>', 'multiplies the volume; 1 is about 15,000 events a day (default: 1)')
}

function addScenarioOptions(command: Command) {
  command
    .option('--attack <name>', 'stolen-key: somebody uses a stolen key with a script of his own')
    .option('--scenario <names>', 'attacks and look-alikes, separated by commas; see --list-scenarios')
    .option(
      '--attack-key <key>',
      'which key it happens to (default: billing-invoices, or any for --scenario)',
    )
    .option(
      '--attack-after <seconds>',
      'how long after the start of the live traffic, or of the range (default: 60)',
    )
    .option('--attack-duration <seconds>', 'how long --attack goes on (default: 300)')
    .option('--labels <file>', 'add a line of JSON for each scenario: what it is, and which messages are its')
}

function addFileOptions(command: Command) {
  command
    .option('--events-out <file>', 'write a range of --history into a file instead (gzip for .gz)')
    .option('--until <time>', 'end of the range for --events-out, ISO 8601 (default: now)')
    .option('--config-out <file>', 'with --events-out: the sources and attribution rules for a backtest')
    .option('--fleet <keys>', 'with --events-out: an invented fleet of so many keys, with its scenarios')
    .option('--weeks <number>', 'with --fleet: how long its history is (default: 8)')
    .option('--attacks <number>', 'with --fleet: how many (default: 35 for every 100 keys, at least 9)')
    .option('--look-alikes <number>', 'with --fleet: how many (default: 32 for every 100 keys, at least 8)')
}

type RawOptions = { readonly printSources?: true; readonly listScenarios?: true }

async function run({ printSources, listScenarios: list, ...raw }: RawOptions) {
  if (list === true) return listScenarios()
  const options = parseSimulateOptions(raw)
  const config = loadConfig(process.env)
  if (printSources === true) {
    const keys = await ensureSimulatorKeys(config.data_directory)
    console.log(JSON.stringify(simulatorSourcesConfig(keys)))
  } else if (options.eventsOut === undefined) await simulate(options, config)
  else await write(options, options.eventsOut)
}

async function simulate(options: SimulateOptions, config: Config) {
  const told = untilToldToStop()
  const onDisconnect = () => told.fail('the supervisor is gone')
  // Under a supervisor the channel to it closes when it dies, and nobody else would stop this process.
  process.once('disconnect', onDisconnect)
  const ingestUrl = options.live
    ? (options.ingest ?? `http://${formatAddress(config.ingest.listen)}`)
    : undefined
  const { seed, rate, history: historyMs, attack, scenarios, labels } = options
  const reporter = createReporter({ json: options.json, ingestUrl })
  try {
    await runSimulation(
      {
        seed,
        rate,
        ...(historyMs === undefined ? {} : { historyMs }),
        ...(ingestUrl === undefined ? {} : { ingestUrl }),
        ...(attack === undefined ? {} : { attack }),
        ...(scenarios === undefined ? {} : { scenarios }),
        ...(labels === undefined ? {} : { labelsFile: labels }),
      },
      {
        config,
        connection: () => warehouseConnection(config),
        now: Date.now,
        signal: told.signal,
        report: reporter.report,
      },
    )
  } finally {
    reporter.close()
    process.off('disconnect', onDisconnect)
  }
}

/** The bar moves in thousandths of the history. */
const BAR_TOTAL = 1000

function createReporter(options: { readonly json: boolean; readonly ingestUrl: string | undefined }) {
  const { json, ingestUrl } = options
  let bar: SingleBar | undefined
  const close = () => {
    bar?.stop()
    bar = undefined
  }
  const report = (report: SimulationReport) => {
    if (json) return console.log(JSON.stringify(report))
    if (report.kind === 'history_progress' && process.stderr.isTTY) {
      if (bar === undefined) {
        bar = new SingleBar({ format: 'history [{bar}] {percentage}% | {events} events | {duration} s' })
        bar.start(BAR_TOTAL, 0, { events: 0 })
      }
      bar.update(Math.floor(report.fraction * BAR_TOTAL), { events: report.events.toLocaleString('en') })
      return
    }
    if (report.kind === 'history_loaded') close()
    const text = describeReport(report, ingestUrl)
    if (text !== undefined) console.log(text)
  }
  return { report, close }
}

async function write(options: SimulateOptions, file: string) {
  const { events, unplaced } = await writeRange(file, options, Date.now())
  if (options.json) return console.log(JSON.stringify({ kind: 'file_written', file, events, unplaced }))
  console.log(`Wrote ${events.toLocaleString('en')} events to ${file}.`)
  if (unplaced.length > 0) console.log(`There was no room for ${unplaced.join(', ')}.`)
}

function listScenarios() {
  const width = Math.max(...allScenarios.map(({ name }) => name.length))
  for (const { title, scenarios } of [
    { title: 'Attacks', scenarios: attacks },
    { title: 'Look-alikes, of which no alert should warn', scenarios: lookAlikes },
  ]) {
    console.log(`${title}:`)
    for (const { name, about } of scenarios) console.log(`  ${name.padEnd(width)}  ${about}`)
  }
}

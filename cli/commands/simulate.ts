import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import type { Config } from '#shared/config/config.ts'
import { loadConfig } from '#shared/config/load-config.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { thiefOf, type AttackPlan } from '../simulator/attack.ts'
import { appendLabel, labelOf } from '../simulator/attack-label.ts'
import { describeReport } from '../simulator/describe-report.ts'
import { generateEvents } from '../simulator/event-stream.ts'
import { defaultFleet } from '../simulator/fleet.ts'
import { runSimulation, type SimulationReport } from '../simulator/run-simulation.ts'
import { parseSimulateOptions, type SimulateOptions } from '../simulator/simulate-options.ts'
import { ensureSimulatorKeys, simulatorSourcesConfig } from '../simulator/sources.ts'
import { arriveAsUsual, writeEventsFile } from '../simulator/write-events-file.ts'
import { formatAddress } from '../supervisor/addresses.ts'
import { untilToldToStop } from '../supervisor/until-told-to-stop.ts'

const HELP = `
The simulated organisation posts to the sources main, billing and marketing. Ingest accepts them when it runs with
  KEYWATCH_SOURCES="$(keywatch simulate --print-sources)"
The signing keys and the position are kept in <data_directory>/simulator, so a restart goes on from where it stopped.`

/** `keywatch simulate`: an organisation's SendGrid traffic, as history, live, or in a file, and a theft on demand. */
export function registerSimulate(program: Command) {
  program
    .command('simulate')
    .description("a simulated organisation's SendGrid webhooks: history, live signed traffic, attacks")
    .option('--ingest <url>', "where ingest listens (default: the configuration's ingest.listen)")
    .option('--no-live', 'load the history and end')
    .option('--history <duration>', 'first load so much history straight into the warehouse: 28d, 12h')
    .option('--seed <number>', 'the same seed and time give the same events (default: 1)')
    .option('--rate <factor>', 'multiplies the volume; 1 is about 15,000 events a day (default: 1)')
    .option('--attack <name>', 'stolen-key: somebody uses a stolen key with a script of his own')
    .option('--attack-key <key>', 'which key is stolen (default: billing-invoices)')
    .option(
      '--attack-after <seconds>',
      'how long after the start of the live traffic, or of the range (default: 60)',
    )
    .option('--attack-duration <seconds>', 'how long it goes on (default: 300)')
    .option('--labels <file>', 'add a line of JSON that says what the attack is and which messages are its')
    .option('--events-out <file>', 'write a range of --history into a file instead (gzip for .gz)')
    .option('--until <time>', 'end of the range for --events-out, ISO 8601 (default: now)')
    .option(
      '--print-sources',
      "print the configuration's sources section for this simulation as JSON, and end",
    )
    .option('--json', 'report in JSON, one object per line')
    .addHelpText('after', HELP)
    .action(async ({ printSources, ...raw }: { printSources?: true }) => {
      const options = parseSimulateOptions(raw)
      const config = loadConfig(process.env)
      if (printSources === true) {
        const keys = await ensureSimulatorKeys(config.data_directory)
        console.log(JSON.stringify(simulatorSourcesConfig(keys)))
      } else if (options.eventsOut === undefined) await simulate(options, config)
      else await writeRange(options, options.eventsOut)
    })
}

async function simulate(options: SimulateOptions, config: Config) {
  const told = untilToldToStop()
  const onDisconnect = () => told.fail('the supervisor is gone')
  // Under a supervisor the channel to it closes when it dies, and nobody else would stop this process.
  process.once('disconnect', onDisconnect)
  const ingestUrl = options.live
    ? (options.ingest ?? `http://${formatAddress(config.ingest.listen)}`)
    : undefined
  const { seed, rate, history: historyMs, attack, labels } = options
  const reporter = createReporter({ json: options.json, ingestUrl })
  try {
    await runSimulation(
      {
        seed,
        rate,
        ...(historyMs === undefined ? {} : { historyMs }),
        ...(ingestUrl === undefined ? {} : { ingestUrl }),
        ...(attack === undefined ? {} : { attack }),
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

async function writeRange(options: SimulateOptions, file: string) {
  const { seed, rate, attack: request } = options
  const toMs = options.untilMs ?? Math.floor(Date.now())
  const fromMs = toMs - (options.history ?? 0)
  const profiles = [...defaultFleet]
  if (request !== undefined) {
    const { attack, key, afterMs, durationMs } = request
    const plan: AttackPlan = { attack, key, durationMs, fromMs: fromMs + afterMs }
    const thief = thiefOf(defaultFleet, plan)
    profiles.push(thief)
    if (options.labels !== undefined) await appendLabel(options.labels, labelOf(thief, plan, options))
  }
  const events = await writeEventsFile(
    file,
    arriveAsUsual(generateEvents({ profiles, seed, rate, fromMs, toMs })),
  )
  console.log(
    options.json
      ? JSON.stringify({ kind: 'file_written', file, events })
      : `Wrote ${events.toLocaleString('en')} events to ${file}.`,
  )
}

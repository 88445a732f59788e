import type { Command } from 'commander'
import type { Config } from '#shared/config/config.ts'
import { loadConfig } from '#shared/config/load-config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { demoEnvironment } from '../demo/demo-environment.ts'
import { loadDemoHistory, startDemoTraffic } from '../demo/demo-traffic.ts'
import { formatAddress } from '../supervisor/addresses.ts'
import { createLineFormatter } from '../supervisor/log-line.ts'
import { startStack, type Stack } from '../supervisor/stack.ts'
import { untilToldToStop } from '../supervisor/until-told-to-stop.ts'

type UpOptions = { readonly demo?: true; readonly verbose?: true }

/** `keywatch up`: the whole system on this machine, each service its own process, until Ctrl-C. */
export function registerUp(program: Command) {
  program
    .command('up')
    .description('start everything on this machine: event log, warehouse, ingest, detector and notifier')
    .option('--demo', 'until a source is configured, show the system at work on a simulated organisation')
    .option('-v, --verbose', "show all of the services' log lines, not only warnings")
    .action(up)
}

async function up(options: UpOptions) {
  const configured = loadConfig(process.env)
  const demo = options.demo === true && Object.keys(configured.sources).length === 0
  if (!demo && Object.keys(configured.sources).length === 0) {
    throw new AppError(
      'CONFIG_INVALID',
      'no source is configured: add one to keywatch.yaml (README, "Connect your SendGrid account"), or see the demo with: npm start',
      { retriable: false },
    )
  }
  const environment = { ...process.env, ...(demo ? await demoEnvironment(configured, process.env) : {}) }
  if (process.stdout.isTTY) environment['FORCE_COLOR'] ??= '1'
  const config = demo ? loadConfig(environment) : configured
  await runUntilStopped(config, { demo, verbose: options.verbose === true, environment })
}

async function runUntilStopped(
  config: Config,
  options: { readonly demo: boolean; readonly verbose: boolean; readonly environment: NodeJS.ProcessEnv },
) {
  const { demo, verbose, environment } = options
  const told = untilToldToStop()
  const format = createLineFormatter({ colour: process.stdout.isTTY, verbose })
  const say = (text: string) => process.stdout.write(`${text}\n`)
  say(demo ? 'Keywatch: no source is configured yet, so this is the demo.' : 'Keywatch is starting.')
  let stack: Stack
  try {
    stack = await startStack({
      config,
      environment,
      signal: told.signal,
      events: {
        onLine: (name, line) => {
          const shown = format(name, line)
          if (shown !== undefined) say(shown)
        },
        onRestart: (name, status, delayMs) =>
          say(`${name} ended (${status}); starting it again in ${delayMs / 1000} s`),
        onGiveUp: (name, status) => told.fail(`${name} keeps ending (${status}); its last lines are above`),
      },
      ...(demo ? { beforeServices: () => loadDemoHistory(environment, told.signal) } : {}),
    })
  } catch (error) {
    if (told.reason() === undefined) throw error
    return finish(told.reason())
  }
  describeAddresses(stack, say)
  if (demo) startDemoTraffic(stack, say)
  await told.promise
  say('Stopping …')
  await stack.stop()
  finish(told.reason())
}

function finish(reason: { readonly failure?: string } | undefined) {
  if (reason?.failure !== undefined) throw new AppError('SERVICE_FAILED', reason.failure, { retriable: true })
  process.stdout.write('Stopped. The next start goes on from here.\n')
}

function describeAddresses({ config, ownsWarehouse }: Stack, say: (text: string) => void) {
  const scheme = config.ingest.tls === undefined ? 'http' : 'https'
  say('Everything is running:')
  for (const source of Object.keys(config.sources)) {
    say(`  webhook    ${scheme}://${formatAddress(config.ingest.listen)}/v1/webhooks/sendgrid/${source}`)
  }
  say(
    `  warehouse  ${config.warehouse.url}  (ClickHouse's HTTP interface${ownsWarehouse ? `, user ${config.warehouse.username}, password in ${config.data_directory}/warehouse/password` : ''})`,
  )
  for (const name of ['ingest', 'detector', 'notifier'] as const) {
    say(`  ${name.padEnd(9)}  http://${formatAddress(config[name].admin_listen)}/metrics  (and /readyz)`)
  }
  say('Ctrl-C stops it.')
}

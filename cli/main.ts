import { Command } from 'commander'
import { AppError } from '#shared/runtime/app-error.ts'
import { registerAlerts } from './commands/alerts.ts'
import { registerBacktest } from './commands/backtest.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerExplain } from './commands/explain.ts'
import { registerKeys } from './commands/keys.ts'
import { registerMigrate } from './commands/migrate.ts'
import { registerServices } from './commands/services.ts'
import { registerSimulate } from './commands/simulate.ts'
import { registerUp } from './commands/up.ts'
import { readVersion } from './version.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2

const program = new Command('keywatch')
  .description(
    "Watches how an organisation's SendGrid API keys are used and tells on-call when one is misused.",
  )
  .version(readVersion())
  .showHelpAfterError('(keywatch --help lists the commands)')
  .exitOverride()

registerUp(program)
registerServices(program)
registerMigrate(program)
registerDoctor(program)
registerSimulate(program)
registerBacktest(program)
registerAlerts(program)
registerExplain(program)
registerKeys(program)

try {
  await program.parseAsync(process.argv)
} catch (error) {
  process.exitCode = exitStatusOf(error)
}

/** Prints what the person needs to know, and says how the process should end. */
function exitStatusOf(error: unknown): number {
  if (isCommanderError(error)) return error.exitCode === 0 ? 0 : EXIT_USAGE
  if (error instanceof AppError) {
    process.stderr.write(`keywatch: ${error.message}\n`)
    return error.code === 'CONFIG_INVALID' ? EXIT_USAGE : EXIT_FAILED
  }
  process.stderr.write(
    `keywatch: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return EXIT_FAILED
}

/** Commander throws for `--help` and `--version` too, with exit code 0; it has printed its text already. */
function isCommanderError(error: unknown): error is Error & { exitCode: number } {
  return error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number'
}

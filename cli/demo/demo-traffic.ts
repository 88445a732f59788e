import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stack } from '../supervisor/stack.ts'

const HISTORY = '28d'
/** Long enough to look around first, short enough that the alert comes within two minutes. */
const THEFT_AFTER_SECONDS = 60

const command = fileURLToPath(new URL('../main.ts', import.meta.url))

/**
 * Gives the warehouse the simulated organisation's last four weeks, with a progress bar; after a pause only what is
 * missing. It ends early, without a failure, when `signal` aborts.
 */
export async function loadDemoHistory(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), command, 'simulate', '--history', HISTORY, '--no-live'],
    { env: environment, stdio: 'inherit', detached: false },
  )
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => signal.removeEventListener('abort', stop))
  signal.throwIfAborted()
  if (status !== 0) {
    throw new AppError('SERVICE_FAILED', 'the simulated history could not be loaded; its message is above', {
      retriable: true,
    })
  }
}

/** Starts the organisation's live traffic, and the theft of one of its keys a minute later. */
export function startDemoTraffic(stack: Stack, say: (text: string) => void) {
  stack.startExtra('simulate', command, [
    'simulate',
    '--attack',
    'stolen-key',
    '--attack-after',
    String(THEFT_AFTER_SECONDS),
  ])
  say('')
  say(
    `Now live: signed webhooks of a simulated organisation. In ${THEFT_AFTER_SECONDS} seconds a thief will use one of its keys;`,
  )
  say('the alert appears here as soon as his messages stand out.')
  say('')
}

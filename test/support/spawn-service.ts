import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

/** How a child process ended: by itself with a status, or by a signal. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type SpawnedService = {
  readonly pid: number
  /** Everything written so far, standard output and standard error in order of arrival. */
  readonly output: () => string
  /** Resolves with the output once it matches; fails at once when the process ends without it. */
  readonly waitForOutput: (pattern: RegExp, timeoutMs?: number) => Promise<string>
  /** Sends the signal (SIGTERM unless named) and resolves when the process is gone. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<Exit>
  readonly exited: Promise<Exit>
}

/**
 * Starts `services/<name>/main.ts` as a process of its own, as the supervisor does.
 *
 * `env` is laid over an environment without any `KEYWATCH_` variable of the caller's, so that no developer's
 * configuration changes a test. `cwd` defaults to the repository; a `keywatch.yaml` there is not read.
 */
export function spawnService(options: {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
}): SpawnedService {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYWATCH_'))
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), `${REPOSITORY}services/${options.name}/main.ts`],
    {
      cwd: options.cwd ?? REPOSITORY,
      env: { ...Object.fromEntries(inherited), ...options.env },
      // The channel closes when the test process dies, however it dies, and the service then stops itself.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  let output = ''
  const collect = (chunk: unknown) => {
    output += String(chunk)
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)

  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      exit = { code, signal }
      resolve(exit)
    })
  })
  // A test that never looks at `exited` must not die of its rejection; waitForOutput reports the failure.
  exited.catch(() => undefined)

  const waitForOutput = async (pattern: RegExp, timeoutMs = 30_000) => {
    await eventually(() => pattern.test(output) || exit !== undefined, {
      timeoutMs,
      what: `${options.name} writes ${pattern}; so far:\n${output}`,
    })
    if (pattern.test(output)) return output
    throw new Error(`${options.name} ended (${exit?.code ?? exit?.signal}) without ${pattern}:\n${output}`)
  }
  const kill = (signal: NodeJS.Signals = 'SIGTERM') => {
    if (exit === undefined) child.kill(signal)
    return exited
  }
  return { pid: child.pid ?? -1, output: () => output, waitForOutput, kill, exited }
}

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

export type SpawnedScript = {
  readonly pid: number
  /** The lines written to standard output so far. */
  readonly lines: readonly string[]
  /** Waits for a line that matches; fails at once when the process ends without it. */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, and waits until the process is gone. */
  kill9(): Promise<void>
  readonly ended: Promise<number | null>
}

/** Runs a script of test/fixtures as a process of its own, which can be killed. */
export function spawnScript(
  name: string,
  env: Readonly<Record<string, string>>,
  /** A shell command that runs first, such as a limit of resources. */
  before = 'true',
): SpawnedScript {
  const script = `${before}; exec "$0" "$@"`
  const node = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    `${REPOSITORY}test/fixtures/${name}`,
  ]
  const child = spawn('sh', ['-c', script, ...node], {
    cwd: REPOSITORY,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  let rest = ''
  let errors = ''
  let isRunning = true
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = `${rest}${chunk}`.split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      isRunning = false
      resolve(code)
    })
  })
  return {
    pid: child.pid ?? -1,
    lines,
    ended,
    signal: (signal) => child.kill(signal),
    async kill9() {
      child.kill('SIGKILL')
      await ended
    },
    async waitForLine(pattern, timeoutMs = 30_000) {
      const find = () => lines.find((line) => pattern.test(line))
      await eventually(() => find() !== undefined || !isRunning, {
        timeoutMs,
        what: `${name} writes ${pattern}`,
      })
      const line = find()
      if (line === undefined)
        throw new Error(`${name} ended without ${pattern}:\n${lines.join('\n')}\n${errors}`)
      return line
    },
  }
}

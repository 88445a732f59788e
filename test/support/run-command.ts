import { spawn } from 'node:child_process'
import { eventually } from './eventually.ts'

export type RunningCommand = {
  readonly output: () => string
  /** Resolves with the status, or with the name of the signal that ended it. */
  readonly exited: Promise<number | string>
  readonly waitForOutput: (pattern: RegExp) => Promise<void>
  readonly kill: (signal: NodeJS.Signals) => Promise<number | string>
}

/** Runs a container's command as a plain process, with just the given environment and what finding programs needs. */
export function runCommand(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): RunningCommand {
  const [program = '', ...rest] = command
  const child = spawn(program === 'node' ? process.execPath : program, rest, {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: unknown) => {
    output += String(chunk)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  let ended: number | string | undefined
  const exited = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      ended = code ?? signal ?? 'unknown'
      resolve(ended)
    })
  })
  exited.catch(() => undefined)
  return {
    output: () => output,
    exited,
    waitForOutput: async (pattern) => {
      await eventually(() => pattern.test(output) || ended !== undefined, {
        timeoutMs: 60_000,
        what: `${command.join(' ')} writes ${pattern}`,
      })
      if (!pattern.test(output)) throw new Error(`${command.join(' ')} ended with ${ended}:\n${output}`)
    },
    kill: (signal) => {
      if (ended === undefined) child.kill(signal)
      return exited
    },
  }
}

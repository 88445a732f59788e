import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** One process to keep alive. */
export type ProcessSpec = {
  readonly name: string
  /** Arguments of node, the script first. */
  readonly arguments: readonly string[]
  readonly environment: NodeJS.ProcessEnv
}

export type ProcessEvents = {
  /** A line of its standard output or error. */
  readonly onLine: (name: string, line: string) => void
  readonly onRestart: (name: string, status: string, delayMs: number) => void
  /** It ended too often too soon; it will not be started again. */
  readonly onGiveUp: (name: string, status: string) => void
}

export type SupervisedProcess = {
  readonly name: string
  readonly pid: () => number | undefined
  /** SIGTERM, then SIGKILL after `deadlineMs`; resolves when the process is gone. */
  readonly stop: (deadlineMs: number) => Promise<void>
}

/** A process that lived this long counts as having started well. */
const STEADY_AFTER_MS = 20_000
const RESTART_DELAY_FIRST_MS = 500
const RESTART_DELAY_MAX_MS = 10_000
const EARLY_ENDS_MAX = 5

/**
 * Starts a process and starts it again whenever it ends, with growing delays, until `stop` is called or it has
 * ended `EARLY_ENDS_MAX` times in a row before it was steady. Each process gets a group of its own, so that
 * Ctrl-C reaches the supervisor alone, which then stops them in the right order.
 */
export function superviseProcess(spec: ProcessSpec, events: ProcessEvents): SupervisedProcess {
  let child: ChildProcess | undefined
  let stopping = false
  let earlyEnds = 0
  let restartTimer: NodeJS.Timeout | undefined
  let ended: Promise<void> = Promise.resolve()

  const start = () => {
    const startedAt = performance.now()
    const started = spawn(process.execPath, spec.arguments, {
      env: spec.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    child = started
    for (const stream of [started.stdout, started.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on('line', (line) => events.onLine(spec.name, line))
    }
    ended = new Promise((resolve) => {
      started.once('error', (error) => events.onLine(spec.name, `could not be started: ${error.message}`))
      started.once('close', (code, signal) => {
        child = undefined
        resolve()
        if (!stopping) onEnd(signal ?? `status ${code ?? 'unknown'}`, performance.now() - startedAt)
      })
    })
  }
  const onEnd = (status: string, livedMs: number) => {
    earlyEnds = livedMs < STEADY_AFTER_MS ? earlyEnds + 1 : 0
    if (earlyEnds >= EARLY_ENDS_MAX) {
      events.onGiveUp(spec.name, status)
      return
    }
    const delayMs = Math.min(RESTART_DELAY_FIRST_MS * 2 ** Math.max(earlyEnds - 1, 0), RESTART_DELAY_MAX_MS)
    events.onRestart(spec.name, status, delayMs)
    restartTimer = setTimeout(start, delayMs)
  }
  const stop = async (deadlineMs: number) => {
    stopping = true
    clearTimeout(restartTimer)
    child?.kill('SIGTERM')
    const deadline = setTimeout(() => child?.kill('SIGKILL'), deadlineMs)
    await ended
    clearTimeout(deadline)
  }
  start()
  return { name: spec.name, pid: () => child?.pid, stop }
}

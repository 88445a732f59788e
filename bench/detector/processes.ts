import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process under measurement. */
export type MeasuredProcess = {
  readonly pid: number
  /** Waits for a line of its output that holds the text. */
  readonly lineWith: (text: string) => Promise<string>
  readonly stop: () => Promise<void>
}

/** Starts a script, given by its URL, as a process of its own. */
export function startProcess(
  script: string,
  options: { readonly env: Readonly<Record<string, string>>; readonly nodeOptions?: readonly string[] },
): MeasuredProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYWATCH_'))
  const child = spawn(
    process.execPath,
    [...(options.nodeOptions ?? []), '--import', import.meta.resolve('tsx'), fileURLToPath(script)],
    {
      cwd: tmpdir(),
      env: { ...Object.fromEntries(inherited), ...options.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => lines.push(line))
  return {
    pid: child.pid ?? -1,
    async lineWith(text) {
      for (;;) {
        const found = lines.find((line) => line.includes(text))
        if (found !== undefined) return found
        if (child.exitCode !== null) throw new Error(`${script} ended early:\n${lines.join('\n')}`)
        await Promise.race([once(reader, 'line'), once(child, 'close')])
      }
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}

/** Linux counts a process's CPU time in ticks of 10 ms. */
const TICKS_PER_SECOND = 100

/** What a process has used so far, as Linux's /proc tells: CPU of all its threads, user and system, and peak memory. */
export function usageOf(pid: number): { readonly cpuSeconds: number; readonly peakMib: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets, which may hold blanks; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    peakMib: Number(peak) / 1024,
  }
}

/** Memory now in use by the process, MiB, without the pages of the log's file, which the system keeps for all. */
export function residentMib(pid: number): number {
  const resident = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(resident) / 1024
}

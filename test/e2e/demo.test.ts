import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import { eventually } from '../support/eventually.ts'

const command = fileURLToPath(new URL('../../cli/keywatch.js', import.meta.url))
const HISTORY_MS = 150_000
/** The theft begins a minute after the live traffic; the promise is two minutes. */
const ALERT_MS = 120_000

/** `keywatch up --demo` as a person starts it: in a process group of its own, so that Ctrl-C reaches all of it. */
function startDemo(folder: string) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYWATCH_'))
  const child = spawn(process.execPath, [command, 'up', '--demo'], {
    cwd: folder,
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk)
    })
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const until = (pattern: RegExp, timeoutMs: number) =>
    eventually(() => pattern.test(output), {
      timeoutMs,
      what: `the demo writes ${pattern}; so far:\n${output}`,
    })
  const pressCtrlC = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
    return exited
  }
  return { output: () => output, until, pressCtrlC, exited }
}

describe('the demo', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keywatch-demo-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('shows the alert about the stolen key within two minutes of live traffic, and goes on after Ctrl-C', async () => {
    const first = startDemo(folder)
    onTestFailed(async () => {
      // oxlint-disable-next-line no-console -- what happened before the failure
      console.error(first.output())
      await first.pressCtrlC()
    })
    await first.until(/Now live:/, HISTORY_MS)
    await first.until(/opened: [a-z_.]+ on key billing-invoices/, ALERT_MS)
    await first.until(/What to do next/, 5000)
    const alert = first.output().slice(first.output().search(/opened: [a-z_.]+ on key billing-invoices/))
    const [, left] = /Sent before the alarm\s+(\d+) messages/.exec(alert) ?? []
    expect(Number(left)).toBeLessThanOrEqual(20)
    // The alarm itself, and at least two more kinds of evidence in the same incident.
    expect(alert.match(/^ +- also /gm)?.length).toBeGreaterThanOrEqual(2)
    expect(await first.pressCtrlC()).toBe(0)
    expect(first.output()).toContain('The next start goes on from here.')

    const second = startDemo(folder)
    onTestFailed(async () => {
      // oxlint-disable-next-line no-console -- what happened before the failure
      console.error(second.output())
      await second.pressCtrlC()
    })
    await second.until(/Now live:/, HISTORY_MS)
    expect(second.output()).not.toMatch(/Loaded \d{3},\d{3} events of history/)
    expect(await second.pressCtrlC()).toBe(0)
  }, 420_000)
})

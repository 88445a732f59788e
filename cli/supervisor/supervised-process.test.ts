import { describe, expect, it } from 'vitest'
import { superviseProcess, type ProcessEvents } from './supervised-process.ts'

/** Collects what a supervised process did, and lets a test wait for the next thing to happen. */
function recorder() {
  const seen: string[] = []
  const waiting: { text: string; times: number; resolve: () => void }[] = []
  const count = (text: string) => seen.filter((line) => line.includes(text)).length
  const record = (line: string) => {
    seen.push(line)
    for (const entry of waiting) if (count(entry.text) >= entry.times) entry.resolve()
  }
  const events: ProcessEvents = {
    onLine: (_name, line) => record(`line ${line}`),
    onRestart: (_name, status) => record(`restart after ${status}`),
    onGiveUp: (_name, status) => record(`gave up after ${status}`),
  }
  const until = (text: string, times = 1) =>
    count(text) >= times
      ? Promise.resolve()
      : new Promise<void>((resolve) => waiting.push({ text, times, resolve }))
  return { seen, events, until }
}

const script = (source: string) => ({ name: 'sample', arguments: ['-e', source], environment: process.env })

describe('superviseProcess', () => {
  it('passes on every line and stops the process with SIGTERM', async () => {
    const { events, until, seen } = recorder()
    const running = superviseProcess(
      script(
        `process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); setInterval(() => {}, 1000); console.log('hello')`,
      ),
      events,
    )
    await until('hello')
    await running.stop(5000)
    expect(seen).toContain('line bye')
    expect(running.pid()).toBeUndefined()
  })

  it('starts a process again that was killed', async () => {
    const { events, until, seen } = recorder()
    const running = superviseProcess(
      script(`console.log('up ' + process.pid); setInterval(() => {}, 1000)`),
      events,
    )
    await until('up ')
    const first = running.pid()
    if (first === undefined) throw new Error('the process has no id')
    process.kill(first, 'SIGKILL')
    await until('up ', 2)
    await running.stop(5000)
    expect(seen).toContain('restart after SIGKILL')
  })

  it('kills a process that ignores SIGTERM', async () => {
    const { events, until } = recorder()
    const running = superviseProcess(
      script(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('deaf')`),
      events,
    )
    await until('deaf')
    await running.stop(200)
    expect(running.pid()).toBeUndefined()
  })
})

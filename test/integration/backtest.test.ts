import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { alertSchema, severities, type Alert } from '#shared/domain/alert.ts'

const COMMAND = fileURLToPath(new URL('../../cli/keywatch.js', import.meta.url))

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-backtest-'))
  const range = ['--history', '15d', '--until', '2026-03-04T12:00:00Z', '--seed', '7', '--rate', '0.25']
  const attack = [
    '--attack',
    'stolen-key',
    '--attack-key',
    'password-reset',
    '--attack-after',
    String(14 * 86_400),
  ]
  const made = await keywatch(
    'simulate',
    '--events-out',
    'events.ndjson',
    ...range,
    ...attack,
    '--labels',
    'labels',
  )
  if (made.status !== 0) throw new Error(`the events could not be made: ${made.errors}`)
  await writeFile(
    join(directory, 'keywatch.yaml'),
    'sources: {main: {}, billing: {key: billing-invoices}, marketing: {}}',
  )
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** Runs a command to its end, away from any configuration of the developer's. */
async function keywatch(...command: readonly string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYWATCH_'))
  const child = spawn(process.execPath, [COMMAND, ...command], {
    cwd: directory,
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { status, output, errors }
}

const read = (name: string) => readFile(join(directory, name), 'utf8')
const alertsOf = async (name: string) =>
  (await read(name))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => alertSchema.parse(JSON.parse(line)))

/** Changes that do not open an alert, raise it above what it was, or end it while it is open; and alerts left open. */
function changesOutOfTurn(alerts: readonly Alert[]): string[] {
  const open = new Map<string, number>()
  const faults: string[] = []
  for (const { alert_id, severity, status, changed_at } of alerts) {
    const rank = severities.indexOf(severity)
    const known = open.get(alert_id) ?? -1
    if (status === 'open' ? rank <= known : known === -1) faults.push(`${changed_at} ${alert_id}`)
    if (status === 'open') open.set(alert_id, rank)
    else open.delete(alert_id)
  }
  return [...faults, ...open.keys()]
}

const reportSchema = z.object({
  kind: z.literal('backtest'),
  bad_line_samples: z.array(z.object({ line: z.number(), fault: z.string() })),
  file_fault: z.string().optional(),
  runs: z.array(
    z.object({
      configuration: z.string(),
      events: z.number(),
      duplicates: z.number(),
      bad_lines: z.number(),
      keys: z.number(),
      judgement: z
        .object({
          families: z.array(z.object({ family: z.string(), attacks: z.number(), found: z.number() })),
        })
        .optional(),
    }),
  ),
})
const reportOf = (output: string) => reportSchema.parse(JSON.parse(output))

describe('keywatch backtest', () => {
  it('finds the stolen key, each change once and in order, the same every time', async () => {
    const first = await keywatch(
      'backtest',
      '--events',
      'events.ndjson',
      '--alerts',
      'first',
      '--json',
      '--labels',
      'labels',
    )
    expect(first).toMatchObject({ status: 0, errors: '' })
    const report = reportOf(first.output)
    expect(report.runs[0]?.judgement?.families.at(-1)).toEqual({ family: 'all', attacks: 1, found: 1 })

    const alerts = await alertsOf('first')
    const times = alerts.map(({ changed_at }) => changed_at)
    expect(times).toEqual(times.toSorted())
    expect(changesOutOfTurn(alerts)).toEqual([])

    await writeFile(join(directory, 'packed.ndjson.gz'), gzipSync(await read('events.ndjson')))
    expect(await keywatch('backtest', '--events', 'packed.ndjson.gz', '--alerts', 'second')).toMatchObject({
      status: 0,
    })
    expect(await read('second')).toBe(await read('first'))
  })

  it('gives the same alerts when every event comes again for a day', async () => {
    const lines = (await read('events.ndjson')).trimEnd().split('\n')
    const timed = lines.map((line) => z.looseObject({ received_at: z.number() }).parse(JSON.parse(line)))
    const again = timed.flatMap((line) => [line, { ...line, received_at: line.received_at + 20 * 3600 }])
    const storm = again.toSorted((left, right) => left.received_at - right.received_at)
    const lastMs = (timed.at(-1)?.received_at ?? 0) * 1000
    await writeFile(join(directory, 'storm'), storm.map((line) => JSON.stringify(line)).join('\n'))
    const run = await keywatch('backtest', '--events', 'storm', '--alerts', 'storm-alerts', '--json')
    expect(reportOf(run.output).runs[0]).toMatchObject({ events: lines.length, duplicates: lines.length })
    // While the repetitions end, the clock goes on and nothing comes: that is another past than the file without them.
    const before = (alerts: Awaited<ReturnType<typeof alertsOf>>) =>
      alerts.filter(({ changed_at }) => Date.parse(changed_at) <= lastMs)
    expect(before(await alertsOf('storm-alerts'))).toEqual(before(await alertsOf('first')))
  })

  it('counts lines that are no events, says which, and goes on', async () => {
    const lines = (await read('events.ndjson')).trimEnd().split('\n').slice(0, 50)
    lines.splice(10, 0, 'no json', '[]', '{"event":7}')
    await writeFile(join(directory, 'damaged'), lines.join('\r\n'))
    const run = await keywatch('backtest', '--events', 'damaged', '--json')
    expect(run.status).toBe(0)
    expect(reportOf(run.output)).toMatchObject({ runs: [{ events: 50, bad_lines: 3 }] })
    expect(reportOf(run.output).bad_line_samples.map(({ line }) => line)).toEqual([11, 12, 13])
  })

  it.each([
    { what: 'no file', options: ['--events', 'none'], status: 1, says: /none cannot be read/ },
    { what: 'no event in it', options: ['--events', 'labels'], status: 1, says: /holds no event/ },
    { what: 'no input', options: [], status: 2, says: /--events is needed/ },
    { what: 'two inputs', options: ['--events', 'a', '--since', '30d'], status: 2, says: /only one/ },
    { what: 'a bad duration', options: ['--since', 'long'], status: 2, says: /--since must be/ },
  ])('fails with what to do: $what', async ({ options, status, says }) => {
    const run = await keywatch('backtest', ...options)
    expect(run.status).toBe(status)
    expect(run.errors).toMatch(says)
  })

  it('shows two configurations side by side, and writes a page that stands alone', async () => {
    await writeFile(join(directory, 'other.yaml'), 'attribution: [{category_prefix: "key:"}]')
    const run = await keywatch(
      'backtest',
      '--events',
      'events.ndjson',
      '--compare',
      'other.yaml',
      '--html',
      'page.html',
    )
    expect(run.status).toBe(0)
    expect(run.output).toContain('other.yaml')
    const html = await read('page.html')
    expect(html).toContain('<svg')
    expect(html).not.toMatch(/\b(?:src|href)=|https?:\/\//)
  })
})

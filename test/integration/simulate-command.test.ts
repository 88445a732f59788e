import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { configSchema } from '#shared/config/config.ts'

const COMMAND = fileURLToPath(new URL('../../cli/keywatch.js', import.meta.url))
const lineSchema = z.strictObject({
  received_at: z.number(),
  source: z.enum(['main', 'billing', 'marketing']),
  event: z.looseObject({ event: z.string(), timestamp: z.number(), sg_message_id: z.string() }),
})

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-simulate-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Runs `keywatch simulate` to its end, away from any configuration of the developer's. */
async function simulate(...options: readonly string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYWATCH_'))
  const child = spawn(process.execPath, [COMMAND, 'simulate', ...options], {
    cwd: directory,
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { status, output }
}
const read = (name: string) => readFile(join(directory, name))
const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => lineSchema.parse(JSON.parse(line)))

describe('keywatch simulate', () => {
  it('writes a range of events to a file, in order of arrival, the same for the same seed and time', async () => {
    const range = ['--history', '6h', '--until', '2026-03-04T12:00:00Z', '--seed', '7']
    expect(await simulate('--events-out', 'plain.ndjson', ...range)).toMatchObject({ status: 0 })
    expect(await simulate('--events-out', 'packed.ndjson.gz', ...range)).toMatchObject({ status: 0 })
    const plain = await read('plain.ndjson')
    expect(gunzipSync(await read('packed.ndjson.gz')).equals(plain)).toBe(true)

    const lines = linesOf(plain.toString('utf8'))
    expect(lines.length).toBeGreaterThan(2000)
    const arrivals = lines.map((line) => line.received_at)
    expect(arrivals).toEqual(arrivals.toSorted((left, right) => left - right))
    expect(
      lines.filter(({ received_at: at, event }) => at < event.timestamp || at > event.timestamp + 5),
    ).toEqual([])
    const untilSeconds = Date.parse('2026-03-04T12:00:00Z') / 1000
    expect(lines[0]?.event.timestamp).toBeGreaterThanOrEqual(untilSeconds - 6 * 3600)
    expect(lines.at(-1)?.event.timestamp).toBeLessThan(untilSeconds)
  })

  it('labels the attack in the file with exactly the messages that carry nothing of the owner', async () => {
    const options = ['--history', '1h', '--until', '2026-03-04T12:00:00Z', '--attack', 'stolen-key']
    const theft = ['--attack-after', '1200', '--attack-duration', '60', '--labels', 'labels.ndjson']
    expect(await simulate('--events-out', 'e.ndjson', ...options, ...theft)).toMatchObject({ status: 0 })
    const label = z
      .object({ source: z.literal('billing'), started_at: z.string(), message_ids: z.array(z.string()) })
      .parse(JSON.parse((await read('labels.ndjson')).toString('utf8')))
    expect(label.started_at).toBe('2026-03-04T11:20:00.000Z')
    const bare = linesOf((await read('e.ndjson')).toString('utf8'))
      .filter(({ source, event }) => source === 'billing' && !('invoice_id' in event))
      .map(({ event }) => event.sg_message_id)
    expect(new Set(bare)).toEqual(new Set(label.message_ids))
  })

  it('prints a sources section that the configuration accepts and that stays the same', async () => {
    const first = await simulate('--print-sources')
    expect(first.status).toBe(0)
    expect(Object.keys(configSchema.parse({ sources: JSON.parse(first.output) }).sources)).toEqual([
      'main',
      'billing',
      'marketing',
    ])
    expect(await simulate('--print-sources')).toEqual(first)
  })

  it.each([[['--rate', 'fast']], [['--attack', 'flood']], [['--no-such-option']]])(
    'ends with status 2 for %j and says what is wrong',
    async (options) => {
      const { status, output } = await simulate(...options)
      expect(status).toBe(2)
      expect(output).toContain(options[0])
    },
  )
})

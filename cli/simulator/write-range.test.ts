import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { configSchema } from '#shared/config/config.ts'
import { parseSimulateOptions } from './simulate-options.ts'
import { writeRange } from './write-range.ts'

// Whole histories are written here; a busy machine needs its time.
vi.setConfig({ testTimeout: 60_000 })

const NOW_MS = Date.UTC(2026, 3, 6)
const labelSchema = z.object({
  kind: z.enum(['attack', 'benign']),
  scenario: z.string(),
  key: z.string(),
  started_at: z.iso.datetime(),
  messages: z.number(),
  message_ids: z.array(z.string()),
})
const lineSchema = z.object({
  received_at: z.number(),
  source: z.string(),
  event: z.looseObject({ event: z.string(), sg_message_id: z.string() }),
})

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-range-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function write(raw: Readonly<Record<string, string>>) {
  const file = join(directory, 'events.ndjson.gz')
  const labels = join(directory, 'labels.ndjson')
  const configOut = join(directory, 'keywatch.yaml')
  const options = parseSimulateOptions({ ...raw, eventsOut: file, labels, configOut })
  const written = await writeRange(file, options, NOW_MS)
  const lines = (text: string) => text.trimEnd().split('\n')
  const read = (name: string) => readFile(name, 'utf8')
  return {
    written,
    events: lines(gunzipSync(await readFile(file)).toString('utf8')).map((line) =>
      lineSchema.parse(JSON.parse(line)),
    ),
    labels: lines(await read(labels)).map((line) => labelSchema.parse(JSON.parse(line))),
    config: configSchema.parse(parse(await read(configOut))),
  }
}

describe('writeRange', () => {
  it('writes a fleet with events, labels and a configuration that knows all of its sources', async () => {
    const { written, events, labels, config } = await write({
      fleet: '4',
      weeks: '3',
      attacks: '2',
      lookAlikes: '1',
    })
    expect(written.events).toBe(events.length)
    expect(labels.map(({ kind }) => kind).toSorted()).toEqual(['attack', 'attack', 'benign'])
    expect(
      [...new Set(events.map(({ source }) => source))].filter((name) => !(name in config.sources)),
    ).toEqual([])
    const arrivals = events.map((line) => line.received_at)
    expect(arrivals).toEqual(arrivals.toSorted((left, right) => left - right))
  })

  it('puts scenarios into the usual fleet, in the last two fifths of a long range', async () => {
    const { events, labels, config } = await write({ history: '14d', scenario: 'blast,batch-run-twice' })
    expect(labels.map(({ scenario }) => scenario).toSorted()).toEqual(['batch-run-twice', 'blast'])
    expect(Object.keys(config.sources).toSorted()).toEqual(['billing', 'main', 'marketing'])
    const ids = new Set(events.map(({ event }) => event.sg_message_id))
    for (const { started_at: at, message_ids: labelled, messages } of labels) {
      expect(Date.parse(at)).toBeGreaterThanOrEqual(NOW_MS - 0.4 * 14 * 86_400_000)
      expect(labelled.filter((id) => !ids.has(id))).toEqual([])
      expect(messages).toBe(labelled.length)
    }
  })

  it('lets a scenario happen to the key that is named', async () => {
    const { labels } = await write({
      history: '2d',
      scenario: 'blast',
      attackKey: 'us-shop',
      attackAfter: '3600',
    })
    expect(labels).toMatchObject([{ scenario: 'blast', key: 'us-shop' }])
  })

  it('refuses scenarios that find no room, before anything is written', async () => {
    const raw = { history: '1h', scenario: 'dormant-key' }
    await expect(write(raw)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('dormant-key'),
    })
    await expect(readFile(join(directory, 'labels.ndjson'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

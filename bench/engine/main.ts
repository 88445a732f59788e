import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { quantile } from '../../cli/backtest/summarise.ts'
import { textTable } from '../../cli/backtest/text-table.ts'
import { keyFiguresSchema, scaleFiguresSchema, type KeyFigures, type ScaleFigures } from './measure.ts'

const { values } = parseArgs({
  options: {
    /** Numbers of live keys to measure. */
    keys: { type: 'string', default: '1000,10000,100000' },
    /** Events to measure at each, at least; whole days are fed, because each key learns once a day. */
    events: { type: 'string', default: '500000' },
    /** Keys of which a month of events is made; all others are copies of these. */
    templates: { type: 'string', default: '200' },
    days: { type: 'string', default: '30' },
    /** Multiplies the simulator's usual volume. */
    rate: { type: 'string', default: '0.2' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('keys'), figures: keyFiguresSchema }),
  z.object({ kind: z.literal('scale'), figures: scaleFiguresSchema }),
])
const LARGEST_SHOWN = 5
const DAY_HOURS = 24
const DAYS_FIRST = 7
const DAYS_MAX = 14
const KIB = 1024

const scales: ScaleFigures[] = []
let single: KeyFigures | undefined
for (const keys of values.keys.split(',').map(Number)) {
  // The first process finds out how busy the templates are.
  const perDay = single === undefined ? undefined : single.events / single.keys / Number(values.days)
  const wanted = perDay === undefined ? DAYS_FIRST : Math.ceil(Number(values.events) / (perDay * keys))
  const measured = await measure(keys, DAY_HOURS * Math.min(DAYS_MAX, wanted), single === undefined)
  single ??= measured.single
  scales.push(measured.scale)
  console.error(`${keys} keys measured`)
}
if (single === undefined) throw new Error('there is at least one number of keys')
console.log(scaleText(scales))
console.log(`\n${keyText(single)}`)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ scales, single }, null, 2)}\n`)

type Measured = { readonly scale: ScaleFigures; readonly single: KeyFigures | undefined }

function measure(keys: number, hours: number, withSingle: boolean): Promise<Measured> {
  const { seed, templates, rate, days } = values
  return new Promise((resolve, reject) => {
    let found: KeyFigures | undefined
    const child = fork(new URL('./engine-process.ts', import.meta.url), {
      execArgv: ['--expose-gc', '--max-old-space-size=12288', '--import', import.meta.resolve('tsx')],
    })
    child.on('message', (message) => {
      const parsed = messageSchema.parse(message)
      if (parsed.kind === 'keys') found = parsed.figures
      else resolve({ scale: parsed.figures, single: found })
    })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`${keys} keys: no figures (code ${code})`)))
    child.send({
      seed: Number(seed),
      templates: Number(templates),
      rate: Number(rate),
      days: Number(days),
      keys,
      hours,
      single: withSingle,
    })
  })
}

function scaleText(figures: readonly ScaleFigures[]): string {
  const count = (value: number) => Math.round(value).toLocaleString('en')
  return textTable([
    [
      'live keys',
      'events',
      'of hours',
      'events/s per core',
      'plain counter',
      'ratio',
      'hourly work, µs a key',
      'KiB a key, restored',
      'after',
      'peak, MiB',
    ],
    ...figures.map((one) => [
      count(one.keys),
      count(one.events),
      count(one.hours),
      count(one.events / one.seconds),
      count(one.events / one.counterSeconds),
      (one.counterSeconds / one.seconds).toFixed(3),
      ((one.hourlySeconds * 1e6) / (one.keys * one.hours)).toFixed(1),
      (one.bytesRestored / KIB).toFixed(1),
      (one.bytesAfter / KIB).toFixed(1),
      count(one.peakMib),
    ]),
  ])
}

function keyText({ keys, events, seconds, counterSeconds, bytesGrown, perKey }: KeyFigures): string {
  const kib = (value: number | null) => `${((value ?? 0) / KIB).toFixed(1)} KiB`
  const live = perKey.map(({ liveBytes }) => liveBytes)
  const saved = perKey.map(({ savedCharacters }) => savedCharacters)
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / of.length
  const daily = perKey.map((one) => one.events / Number(values.days))
  const largest = perKey
    .toSorted((left, right) => right.liveBytes - left.liveBytes)
    .slice(0, LARGEST_SHOWN)
    .map(
      (one) =>
        `  ${one.key}: ${kib(one.liveBytes)} live, ${kib(one.savedCharacters)} saved, ${one.events} events`,
    )
  const pick = (of: readonly number[], share: number) => quantile(of, share)
  return [
    `A month of ${keys} keys, ${events} events: ${Math.round(events / seconds)} events/s per core (plain counter ` +
      `${Math.round(events / counterSeconds)}), ${kib(bytesGrown)} a key as it grew.`,
    `Events a day and key: median ${(pick(daily, 0.5) ?? 0).toFixed(1)}, 90 % ${(pick(daily, 0.9) ?? 0).toFixed(0)}, ` +
      `most ${Math.max(...daily).toFixed(0)}.`,
    `A key alive: mean ${kib(mean(live))}, median ${kib(pick(live, 0.5))}, 90 % ${kib(pick(live, 0.9))}, ` +
      `largest ${kib(Math.max(...live))}.`,
    `A key saved: mean ${kib(mean(saved))}, median ${kib(pick(saved, 0.5))}, 90 % ${kib(pick(saved, 0.9))}, ` +
      `largest ${kib(Math.max(...saved))}.`,
    'The largest keys:',
    ...largest,
  ].join('\n')
}

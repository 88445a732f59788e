import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createProgress } from '../../cli/backtest/progress.ts'
import { runFleets, type FleetRequest } from './run-fleets.ts'
import { groupText } from './tables.ts'

const { values } = parseArgs({
  options: {
    /** Seeds of the fleets whose single misses may be looked at, as `1-3` or `1,5,9`; empty for none. */
    seeds: { type: 'string', default: '1-3' },
    /** Seeds that nothing is tuned on: only their totals are ever shown. */
    unseen: { type: 'string', default: '7001,7002' },
    keys: { type: 'string', default: '200' },
    weeks: { type: 'string', default: '8' },
    attacks: { type: 'string', default: '60' },
    'look-alikes': { type: 'string', default: '60' },
    /** Seeds of many small fleets of four keys, nine attacks and eight look-alikes each; totals only. */
    small: { type: 'string', default: '7101-7108' },
    /** Fleets judged at the same time, each in a process of its own. */
    processes: { type: 'string', default: '1' },
    /** Names what was missed, late, false or paged for in the fleets of `--seeds`. */
    details: { type: 'boolean', default: false },
    /** Writes the figures as JSON into this file. */
    json: { type: 'string' },
  },
})

const SMALL = { keys: 4, attacks: 9, lookAlikes: 8 }
const weeks = Number(values.weeks)
const large = {
  keys: Number(values.keys),
  attacks: Number(values.attacks),
  lookAlikes: Number(values['look-alikes']),
}

const groups = [
  { title: 'Fleets that were looked at', seeds: seedsOf(values.seeds), size: large },
  { title: 'Fleets that nothing was tuned on', seeds: seedsOf(values.unseen), size: large },
  { title: 'Small fleets that nothing was tuned on', seeds: seedsOf(values.small), size: SMALL },
].filter(({ seeds }) => seeds.length > 0)

const requests = groups.flatMap(({ seeds, size }) =>
  seeds.map((seed): FleetRequest => ({ seed, weeks, ...size })),
)
const progress = createProgress('fleets', false)
const judged = await runFleets(requests, {
  processes: Number(values.processes),
  onProgress: progress.show,
}).finally(progress.stop)

let taken = 0
const results = groups.map(({ title, seeds }) => {
  const fleets = judged.slice(taken, taken + seeds.length)
  taken += seeds.length
  return { title, fleets }
})
for (const { title, fleets } of results) console.log(`${groupText(title, fleets)}\n`)
const slowest = Math.max(...judged.map(({ seconds }) => seconds))
const largest = Math.max(...judged.map(({ peakMib }) => peakMib))
console.log(`The slowest fleet took ${slowest.toFixed(0)} s, the largest process ${largest.toFixed(0)} MiB.`)

if (values.details) {
  const lookedAt = results.filter(({ title }) => title === 'Fleets that were looked at')
  for (const { seed, faults } of lookedAt.flatMap(({ fleets }) => fleets)) {
    console.log([`\nSeed ${seed}`, ...faults].join('\n  '))
  }
}
if (values.json !== undefined) {
  const figures = results.map(({ title, fleets }) => ({
    title,
    fleets: fleets.map(({ faults: _hidden, ...rest }) => rest),
  }))
  writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
}

function seedsOf(text: string): number[] {
  const seeds = text
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [from = Number.NaN, to = from] = part.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    })
  if (!seeds.every(Number.isInteger)) throw new RangeError(`${text} are no seeds; give 1-3 or 1,5,9`)
  return seeds
}

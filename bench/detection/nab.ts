import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SERIES_PAGING_SCORE } from '#shared/detection/series/series-scorer.ts'
import { judgeNabScores, writeNabScores, type NabFigures } from './nab-scores.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Keeps the scores in this folder instead of a temporary one. */
    scores: { type: 'string' },
  },
})

const [given] = positionals
if (given === undefined) {
  console.error('usage: node --import tsx bench/detection/nab.ts FOLDER [--scores FOLDER]')
  console.error('FOLDER is a checkout of the Numenta Anomaly Benchmark, with score.py in it')
  process.exit(2)
}
const folder = resolve(given)
const scoresFolder = values.scores ?? (await mkdtemp(join(tmpdir(), 'keywatch-nab-')))

function print(title: string, figures: NabFigures): void {
  console.log(`\n${title}`)
  for (const [profile, { score, found, windows, false_rows, threshold }] of Object.entries(figures)) {
    const at = threshold === null ? 'never' : threshold.toFixed(3)
    console.log(
      `  ${profile.padEnd(20)} ${score.toFixed(2).padStart(6)}   ${found} of ${windows} windows, ` +
        `${false_rows} false rows, threshold ${at}`,
    )
  }
}

try {
  const startedAt = performance.now()
  const { series, rows } = await writeNabScores(folder, scoresFolder)
  const seconds = (performance.now() - startedAt) / 1000
  console.log(`${series} series, ${rows} rows scored in ${seconds.toFixed(1)} s`)
  if (existsSync(join(folder, 'score.py'))) {
    const { optimised, paging } = await judgeNabScores(folder, scoresFolder)
    print('best threshold for the whole corpus', optimised)
    print(`the engine's own paging score (${SERIES_PAGING_SCORE})`, paging)
  } else if (values.scores === undefined) {
    console.error(`${folder} has no score.py; use --scores to keep the scores for another scorer`)
    process.exitCode = 1
  }
  if (values.scores !== undefined) console.log(`\nscores in ${scoresFolder}`)
} finally {
  if (values.scores === undefined) await rm(scoresFolder, { recursive: true, force: true })
}

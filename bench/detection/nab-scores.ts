import { execFile } from 'node:child_process'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { SERIES_PAGING_SCORE, createSeriesScorer } from '#shared/detection/series/series-scorer.ts'

const run = promisify(execFile)
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

const profileSchema = z.object({
  score: z.number(),
  threshold: z.number().nullable(),
  windows: z.number(),
  found: z.number(),
  false_rows: z.number(),
})
const reportSchema = z.object({ profiles: z.record(z.string(), profileSchema) })

export type NabFigures = z.infer<typeof reportSchema>['profiles']

/**
 * Scores every series below `folder`/data with the engine's series mode, and writes `timestamp,value,anomaly_score`
 * files of the same names below `scoresFolder`. Nothing but the rows of a series is given to its scorer.
 */
export async function writeNabScores(
  folder: string,
  scoresFolder: string,
): Promise<{ series: number; rows: number }> {
  const data = join(folder, 'data')
  const names = (await readdir(data, { recursive: true })).filter((name) => name.endsWith('.csv')).toSorted()
  if (names.length === 0) throw new Error(`${data} holds no .csv file; give the folder of a NAB checkout`)
  let rows = 0
  for (const name of names) {
    const scores = scoresOf(await readFile(join(data, name), 'utf8'), name)
    rows += scores.length
    const file = join(scoresFolder, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, ['timestamp,value,anomaly_score', ...scores, ''].join('\n'))
  }
  return { series: names.length, rows }
}

function scoresOf(text: string, name: string): string[] {
  const { score } = createSeriesScorer()
  const [, ...lines] = text.split(/\r?\n/).filter((line) => line !== '')
  return lines.map((line, index) => {
    const [timestamp = '', value = ''] = line.split(',')
    const seconds = Date.parse(`${timestamp.trim().replace(' ', 'T')}Z`) / 1000
    if (value.trim() === '' || !Number.isFinite(seconds) || !Number.isFinite(Number(value))) {
      throw new Error(`${name}: row ${index + 1} is not a time and a number: ${line}`)
    }
    return `${timestamp},${value},${score(seconds, Number(value))}`
  })
}

/**
 * What the scorer in `folder` (score.py) says of a folder of scores, by profile: at the threshold that is best for
 * the whole corpus, and at the engine's own paging score. Needs python3.
 */
export async function judgeNabScores(
  folder: string,
  scoresFolder: string,
): Promise<{ optimised: NabFigures; paging: NabFigures }> {
  const judge = async (...options: string[]) => {
    const command = [join(folder, 'score.py'), scoresFolder, '--json', ...options]
    const { stdout } = await run('python3', command, { maxBuffer: OUTPUT_BYTES_MAX })
    return reportSchema.parse(JSON.parse(stdout)).profiles
  }
  return { optimised: await judge(), paging: await judge('--threshold', String(SERIES_PAGING_SCORE)) }
}

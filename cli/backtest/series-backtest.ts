import { createSeriesScorer } from '#shared/detection/series/series-scorer.ts'
import { createProgress } from './progress.ts'
import { fileBytes } from './read-lines.ts'
import { scoreSeries } from './score-series.ts'

/** Scores a numeric series and prints how many rows it had. */
export async function runSeriesBacktest(
  input: string,
  output: string,
  { json }: { readonly json: boolean },
): Promise<void> {
  const progress = createProgress('rows', json)
  const bytes = Math.max(1, fileBytes(input))
  try {
    const onProgress = (read: number) => progress.show(read / bytes, `${Math.round(read / 1024)} KiB`)
    const report = await scoreSeries(input, output, { scorer: createSeriesScorer(), onProgress })
    progress.stop()
    if (json) console.log(JSON.stringify({ kind: 'series', ...report }))
    else console.log(`Scored ${report.rows.toLocaleString('en')} rows into ${output}.`)
    if (!json && report.bad_lines > 0) {
      const [first] = report.bad_line_samples
      console.error(
        `${report.bad_lines} rows were left out, the first one line ${first?.line}: ${first?.fault}.`,
      )
    }
  } finally {
    progress.stop()
  }
}

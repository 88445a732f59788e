import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '#shared/runtime/app-error.ts'
import { readLines, type LineBlock } from './read-lines.ts'

/** Judges one value after the other; the score of a row uses that row and earlier ones. */
export type SeriesScorer = { readonly score: (timestampSeconds: number, value: number) => number }

export type SeriesReport = {
  readonly rows: number
  readonly bad_lines: number
  /** The first of them. */
  readonly bad_line_samples: readonly { readonly line: number; readonly fault: string }[]
}

const SAMPLES_MAX = 20
const HEADER = 'timestamp,value,anomaly_score'

/**
 * Reads `timestamp,value` rows and writes each with its score behind it, as they come. A timestamp is written back as
 * it stands; it may be ISO 8601, `YYYY-MM-DD hh:mm:ss` (UTC) or seconds since the epoch. A row that is neither is
 * counted and left out. Throws the AppError `FILE_UNREADABLE` where nothing could be read.
 */
export async function scoreSeries(
  input: string,
  output: string,
  given: { readonly scorer: SeriesScorer; readonly onProgress?: (bytesRead: number) => void },
): Promise<SeriesReport> {
  const samples: { line: number; fault: string }[] = []
  let [rows, badLines] = [0, 0]
  const scored = ({ lines, firstLine }: LineBlock) => {
    let text = ''
    for (const [index, line] of lines.entries()) {
      const row = parseRow(line)
      if (row === undefined || (firstLine + index === 1 && row.kind === 'bad')) continue
      if (row.kind === 'bad') {
        badLines += 1
        if (samples.length < SAMPLES_MAX) samples.push({ line: firstLine + index, fault: row.fault })
        continue
      }
      rows += 1
      text += `${row.timestamp},${row.text},${given.scorer.score(row.seconds, row.value)}\n`
    }
    return text
  }
  async function* chunks() {
    yield `${HEADER}\n`
    for await (const block of readLines(input)) {
      yield scored(block)
      given.onProgress?.(block.bytesRead)
      if (block.fault !== undefined) samples.push({ line: block.firstLine, fault: block.fault })
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(output))
  if (rows > 0) return { rows, bad_lines: badLines, bad_line_samples: samples }
  throw new AppError(
    'FILE_UNREADABLE',
    `${input} holds no row (${samples[0]?.fault ?? 'it is empty'}); give rows of timestamp,value under a header`,
    { retriable: false },
  )
}

type Row =
  | {
      readonly kind: 'row'
      readonly timestamp: string
      readonly seconds: number
      readonly text: string
      readonly value: number
    }
  | { readonly kind: 'bad'; readonly fault: string }

/** One line, undefined where it is blank. */
function parseRow(line: string): Row | undefined {
  const cells = line.trim().split(',')
  if (cells.length === 1 && cells[0] === '') return undefined
  const timestamp = unquoted(cells[0] ?? '')
  const text = unquoted(cells[1] ?? '')
  const seconds = secondsOf(timestamp)
  const value = text === '' ? Number.NaN : Number(text)
  if (seconds === undefined) return { kind: 'bad', fault: 'the timestamp is not a time' }
  if (!Number.isFinite(value)) return { kind: 'bad', fault: 'the value is not a number' }
  return { kind: 'row', timestamp, seconds, text, value }
}

function unquoted(cell: string): string {
  return cell.trim().replace(/^"(.*)"$/, '$1')
}

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/

function secondsOf(text: string): number | undefined {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return Number(text)
  const found = DATE_TIME.exec(text)
  if (found === null) return undefined
  const [, date, time = '00:00', zone = 'Z'] = found
  const ms = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${zone}`)
  return Number.isNaN(ms) ? undefined : ms / 1000
}

import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { createArrivalGuard } from './arrival-guard.ts'
import { createEventReader } from './read-event.ts'
import { readLines } from './read-lines.ts'
import { createBacktest, type BacktestRun, type BacktestSink } from './run-backtest.ts'

/** A line that is no event. */
export type BadLine = { readonly line: number; readonly fault: string }

export type FileBacktest = BacktestRun & {
  readonly lines: number
  readonly badLines: number
  /** The first of them. */
  readonly badLineSamples: readonly BadLine[]
  /** What kept the rest of the file from being read. */
  readonly fileFault?: string
}

const SAMPLES_MAX = 20

/**
 * Judges a file with one event a line. A line that is no event is counted and left out. Throws the AppError
 * `FILE_UNREADABLE` where the file cannot be read or no line of it is an event.
 */
export async function backtestFile(
  file: string,
  config: Config,
  sink: BacktestSink & { readonly onProgress?: (bytesRead: number, events: number) => void },
): Promise<FileBacktest> {
  const backtest = createBacktest(config, sink)
  const badLineSamples: BadLine[] = []
  let [lines, badLines, events] = [0, 0, 0]
  let fileFault: string | undefined

  const addBad = (line: number, fault: string) => {
    badLines += 1
    if (badLineSamples.length < SAMPLES_MAX) badLineSamples.push({ line, fault })
  }
  const guard = createArrivalGuard(createEventReader(config), (outcome) => {
    if (outcome.kind === 'bad') return addBad(outcome.line, outcome.fault)
    events += 1
    backtest.add(outcome)
  })
  const addLine = (text: string, line: number) => {
    if (isBlank(text)) return
    lines += 1
    const value = parseJson(text)
    if (value === undefined) addBad(line, 'the line is not JSON')
    else guard.take(value, line)
  }

  for await (const block of readLines(file)) {
    const { lines: texts, firstLine, bytesRead, fault } = block
    for (const [index, text] of texts.entries()) addLine(text, firstLine + index)
    sink.onProgress?.(bytesRead, events)
    fileFault = fault
  }
  guard.end()
  if (events === 0) throw nothingRead(file, badLineSamples[0], fileFault)
  const run = backtest.finish()
  return { ...run, lines, badLines, badLineSamples, ...(fileFault === undefined ? {} : { fileFault }) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
  } catch {
    return undefined
  }
}

const BYTE_ORDER_MARK = 0xfeff

function isBlank(text: string): boolean {
  return text === '' || (text.length < 3 && text.trim() === '')
}

function nothingRead(file: string, bad: BadLine | undefined, fault: string | undefined): AppError {
  const why = fault ?? (bad === undefined ? 'it holds no lines' : `line ${bad.line}: ${bad.fault}`)
  return new AppError(
    'FILE_UNREADABLE',
    `${file} holds no event (${why}); give one event a line, as SendGrid posts it or as {"received_at": …, "source": …, "event": {…}}`,
    { retriable: false },
  )
}

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Config } from '#shared/config/config.ts'
import { parseKnowledgeFile } from '#shared/config/knowledge-file.ts'
import { loadConfigWithoutKeys } from '#shared/config/load-config.ts'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { createAlertFile, writeTextFile } from './alert-file.ts'
import { backtestFile, type BadLine, type FileBacktest } from './backtest-file.ts'
import { backtestHistory } from './backtest-history.ts'
import type { BacktestOptions } from './backtest-options.ts'
import { htmlPage } from './html-page.ts'
import { judgeAlerts } from './judge-alerts.ts'
import { readLabels, type Label } from './labels.ts'
import { createMessageTimes } from './message-times.ts'
import { createProgress } from './progress.ts'
import { fileBytes } from './read-lines.ts'
import type { BacktestSink } from './run-backtest.ts'
import { summarise } from './summarise.ts'
import { badLinesText, summaryText, type NamedSummary } from './summary-text.ts'

type Options = Omit<BacktestOptions, 'series' | 'scores'>
/** The warehouse's own events have no lines that could be bad. */
type Run = Omit<FileBacktest, 'lines'>
type Judged = NamedSummary & { readonly run: Run }

/** Judges events of the past, from a file or the warehouse, writes what was asked for and prints the summary. */
export async function runEventBacktest(options: Options): Promise<void> {
  const labels = options.labels === undefined ? undefined : readLabels(options.labels)
  const knowledge = options.knowledge === undefined ? [] : readKnowledge(options.knowledge)
  const plan = { toMs: Date.now(), labels, knowledge }
  const first = await judge(options, { ...plan, file: options.config, alerts: options.alerts })
  const judged = [first]
  if (options.compare !== undefined) {
    judged.push(await judge(options, { ...plan, file: options.compare, alerts: undefined }))
  }
  if (options.html !== undefined) {
    const { changes, keys, toMs: lastMs } = first.run
    writeTextFile(options.html, htmlPage({ summaries: judged, changes, keys, toMs: lastMs }))
  }
  print(options, judged)
}

type RunPlan = {
  /** The configuration's file, `keywatch.yaml` if there is none. */
  readonly file: string | undefined
  readonly toMs: number
  readonly labels: readonly Label[] | undefined
  readonly knowledge: readonly Knowledge[]
  readonly alerts: string | undefined
}

async function judge(options: Options, plan: RunPlan): Promise<Judged> {
  const { file, toMs, labels, knowledge, alerts } = plan
  const config = configOf(file)
  const messageTimes = createMessageTimes((labels ?? []).flatMap(({ message_ids }) => message_ids))
  const alertFile = alerts === undefined ? undefined : createAlertFile(alerts)
  try {
    const run = await replay(options, config, {
      toMs,
      drawn: options.html !== undefined,
      knowledge,
      onChange: (alert) => alertFile?.add(alert),
      messageTimes: labels === undefined ? undefined : messageTimes,
    })
    const judgement = labels && judgeAlerts({ ...run, labels, timeOf: messageTimes.timeOf })
    return { name: basename(file ?? 'the configuration'), run, summary: summarise(run, judgement) }
  } finally {
    alertFile?.close()
  }
}

function readKnowledge(file: string): Knowledge[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new AppError('FILE_UNREADABLE', `${file} cannot be read; check the path`, {
      cause: error,
      retriable: false,
    })
  }
  return parseKnowledgeFile(text, file)
}

function configOf(file: string | undefined): Config {
  return loadConfigWithoutKeys(file === undefined ? process.env : { ...process.env, KEYWATCH_CONFIG: file })
}

async function replay(
  { events, since, json }: Options,
  config: Config,
  sink: BacktestSink & { readonly toMs: number },
): Promise<Run> {
  const progress = createProgress('events', json)
  const note = (count: number) => `${count.toLocaleString('en')} events`
  try {
    if (events !== undefined) {
      const bytes = Math.max(1, fileBytes(events))
      const onProgress = (read: number, count: number) => progress.show(read / bytes, note(count))
      return await backtestFile(events, config, { ...sink, onProgress })
    }
    const onProgress = (fraction: number, count: number) => progress.show(fraction, note(count))
    const span = { fromMs: sink.toMs - (since ?? 0), toMs: sink.toMs }
    return {
      ...(await backtestHistory(span, config, { ...sink, onProgress })),
      badLines: 0,
      badLineSamples: [],
    }
  } finally {
    progress.stop()
  }
}

function print({ json }: Options, judged: readonly Judged[]) {
  const [first] = judged
  if (first === undefined) return
  const { run } = first
  if (json) {
    const runs = judged.map(({ name, summary }) => ({ configuration: name, ...summary }))
    console.log(JSON.stringify({ kind: 'backtest', ...warningsOf(run), runs }))
    return
  }
  console.log(summaryText(judged))
  if (run.badLines > 0) console.error(`\n${badLinesText(run.badLines, run.badLineSamples)}`)
  if (run.fileFault !== undefined)
    console.error(`\nThe rest of the file could not be read: ${run.fileFault}.`)
  if (run.duplicatesUnsure) {
    console.error(
      '\nThere were too many events to remember them all for 32 hours; some repetitions may be counted.',
    )
  }
}

function warningsOf({ badLineSamples, fileFault, duplicatesUnsure }: Run): {
  readonly bad_line_samples: readonly BadLine[]
  readonly file_fault?: string
  readonly duplicates_unsure?: true
} {
  return {
    bad_line_samples: badLineSamples,
    ...(fileFault === undefined ? {} : { file_fault: fileFault }),
    ...(duplicatesUnsure ? { duplicates_unsure: true } : {}),
  }
}

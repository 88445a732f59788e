import type { BadLine } from './backtest-file.ts'
import type { FamilySummary, JudgementSummary, Summary } from './summarise.ts'
import { textTable } from './text-table.ts'

/** One run of a backtest, with the name under which it is shown. */
export type NamedSummary = { readonly name: string; readonly summary: Summary }

/** The summary for a person. Several runs over the same events stand side by side. */
export function summaryText(runs: readonly NamedSummary[]): string {
  const [first] = runs
  if (first === undefined) return ''
  const parts = [introduction(first.summary)]
  if (runs.length > 1) parts.push(textTable([['', ...runs.map(({ name }) => name)]]))
  parts.push(incidentTable(runs), signalTable(runs))
  for (const { name, summary } of runs) {
    if (summary.judgement === undefined) continue
    parts.push(
      judgementText(
        runs.length > 1 ? `Judged by the labels, ${name}` : 'Judged by the labels',
        summary.judgement,
      ),
    )
  }
  return parts.filter((part) => part !== '').join('\n\n')
}

function introduction({ events, keys, from, to, duplicates, key_weeks }: Summary): string {
  const repeats = duplicates === 0 ? '' : ` ${count(duplicates)} were delivered again and left out.`
  return `${count(events)} events of ${count(keys)} keys, ${moment(from)} to ${moment(to)} UTC (${key_weeks} key-weeks).${repeats}`
}

/** What was wrong with lines of the file. */
export function badLinesText(total: number, samples: readonly BadLine[]): string {
  const shown = samples.map(({ line, fault }) => `  line ${line}: ${fault}`)
  if (total > samples.length) shown.push(`  … and ${count(total - samples.length)} more`)
  return [
    `${count(total)} ${total === 1 ? 'line is no event and was' : 'lines are no events and were'} left out:`,
    ...shown,
  ].join('\n')
}

function incidentTable(runs: readonly NamedSummary[]): string {
  const rows = (['critical', 'warning', 'info'] as const).map((severity) => [
    severity,
    ...runs.flatMap(({ summary }) => [
      count(summary.incidents[severity]),
      String(summary.incidents_per_key_week[severity]),
    ]),
  ])
  return textTable([['Incidents', ...runs.flatMap(() => ['', 'per key-week'])], ...rows])
}

function signalTable(runs: readonly NamedSummary[]): string {
  const signals = new Set(runs.flatMap(({ summary }) => summary.signals.map(({ signal }) => signal)))
  if (signals.size === 0) return 'No alert.'
  const head = ['Alerts', ...runs.flatMap(() => ['critical', 'warning', 'info', 'per key-week'])]
  const rows = [...signals].toSorted().map((signal) => [
    signal,
    ...runs.flatMap(({ summary }) => {
      const found = summary.signals.find((row) => row.signal === signal)
      if (found === undefined) return ['0', '0', '0', '0']
      return [found.critical, found.warning, found.info, found.per_key_week].map(String)
    }),
  ])
  return textTable([head, ...rows])
}

function judgementText(title: string, judgement: JudgementSummary): string {
  const head = [title, 'attacks', 'found', 'named', 'messages out, median', '90 %', 'seconds, median']
  const rows = judgement.families.map((row) => [row.family, ...familyCells(row)])
  const lines = [textTable([head, ...rows])]
  if (judgement.blast_seconds_max !== null) {
    lines.push(`The slowest alarm of a blast came ${judgement.blast_seconds_max} s after its first message.`)
  }
  lines.push(
    `False incidents at warning or higher: ${judgement.false_incidents} in ${judgement.key_years} key-years ` +
      `(${judgement.false_per_key_year} a key-year); after the first two weeks ${judgement.false_incidents_settled} in ` +
      `${judgement.key_years_settled} (${judgement.false_per_key_year_settled}).`,
    ...judgement.false_alarms
      .slice(0, SHOWN_MAX)
      .map(
        ({ source, key, alarm_at, signals }) =>
          `  false: ${moment(alarm_at)} on ${source}/${key}: ${signals.join(', ')}`,
      ),
    `Look-alikes that paged: ${judgement.look_alikes_paged.length} of ${judgement.look_alikes}.`,
    ...judgement.look_alikes_paged.map(({ scenario, key }) => `  paged for: ${scenario} on ${key}`),
    ...judgement.missed.map(({ scenario, source, key }) => `  missed: ${scenario} on ${source}/${key}`),
  )
  return lines.join('\n')
}

/** The rest is in the JSON. */
const SHOWN_MAX = 50

function familyCells(row: FamilySummary): string[] {
  const share = (part: number, whole: number) =>
    whole === 0 ? '–' : `${part} (${Math.round((100 * part) / whole)} %)`
  return [
    String(row.attacks),
    share(row.found, row.attacks),
    share(row.named, row.found),
    String(row.messages_median ?? '–'),
    String(row.messages_p90 ?? '–'),
    row.seconds_median === null ? '–' : row.seconds_median.toFixed(0),
  ]
}

function count(value: number): string {
  return value.toLocaleString('en')
}

function moment(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}

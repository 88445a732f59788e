import { severities, type Alert } from '#shared/domain/alert.ts'
import { escapeHtml } from './escape-html.ts'
import { incidentChart } from './incident-chart.ts'
import { incidentsOf, type Incident } from './incidents.ts'
import type { KeyUsage } from './key-usage.ts'
import { pageStyle } from './page-style.ts'
import { summaryText, type NamedSummary } from './summary-text.ts'
import { usageAround } from './usage-around.ts'

export type PageInput = {
  readonly summaries: readonly NamedSummary[]
  readonly changes: readonly Alert[]
  readonly keys: readonly KeyUsage[]
  /** Arrival of the last event, milliseconds. */
  readonly toMs: number
}

/** A page with thousands of charts is of no use; what pages people comes first. */
const INCIDENTS_MAX = 300

/**
 * One page that stands alone: no script, nothing from elsewhere (its own policy forbids it). Every incident with its
 * messages over time, the range that was usual, and its evidence.
 */
export function htmlPage({ summaries, changes, keys, toMs }: PageInput): string {
  const incidents = incidentsOf(changes)
  const drawn = incidents
    .toSorted((left, right) => severities.indexOf(right.severity) - severities.indexOf(left.severity))
    .slice(0, INCIDENTS_MAX)
  const leftOut = incidents.length - drawn.length
  const sections = drawn.map((incident) => incidentSection(incident, keys, toMs / 1000))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Keywatch backtest</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<h1>Keywatch backtest</h1>
<pre>${escapeLines(summaryText(summaries))}</pre>
<p class="legend"><span class="swatch column"></span> messages
<span class="swatch during"></span> during the incident
<span class="swatch usual"></span> range at the same time in earlier weeks or days
<span class="swatch alarm"></span> when it was noticed. Times are UTC.</p>
${sections.join('\n') || '<p>No incident.</p>'}
${leftOut > 0 ? `<p>${leftOut} more incidents of low severity are not drawn.</p>` : ''}
</main>
</body>
</html>
`
}

/** As `escapeHtml`, but line ends stay. */
function escapeLines(text: string): string {
  return text.split('\n').map(escapeHtml).join('\n')
}

function incidentSection(incident: Incident<Alert>, keys: readonly KeyUsage[], lastSeconds: number): string {
  const around = usageAround(incident, keys, lastSeconds)
  const latest = latestOfEach(incident.changes)
  const startSeconds = Math.min(...latest.map(({ started_at }) => Date.parse(started_at))) / 1000
  const chart = incidentChart(around, {
    startSeconds,
    alarmSeconds: (incident.alarmMs ?? incident.openedMs) / 1000,
    endSeconds: (incident.endedMs ?? lastSeconds * 1000) / 1000,
  })
  const per = around.stepSeconds === 3600 ? 'hour' : 'ten minutes'
  const usual = {
    weeks: 'usual: the same hour of the week in up to four weeks before',
    days: 'usual: the same time of day in up to seven days before',
    nothing: 'too young for a usual range',
  }[around.usualOf]
  return `<section>
<h2><span class="severity ${incident.severity}">${incident.severity}</span> ${escapeHtml(incident.key)} <small>on ${escapeHtml(incident.source)}, ${utc(incident.openedMs)}${incident.endedMs === undefined ? ', still open' : ` to ${utc(incident.endedMs)}`}</small></h2>
${chart}
<p class="note">Messages per ${per}; ${usual}.</p>
<div class="scroll"><table>
<thead><tr><th>Signal</th><th>Severity</th><th>Noticed</th><th>Observed</th><th>Expected</th><th>Score</th><th>What</th></tr></thead>
<tbody>${latest.map(alertRow).join('')}</tbody>
</table></div>
</section>`
}

/** Of each alert what it said while it was open, when that said most. */
function latestOfEach(changes: readonly Alert[]): Alert[] {
  const latest = new Map<string, Alert>()
  for (const change of changes) {
    if (change.status === 'open' || !latest.has(change.alert_id)) latest.set(change.alert_id, change)
  }
  return [...latest.values()]
}

function alertRow(alert: Alert): string {
  const evidence = Object.entries(alert.evidence)
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(JSON.stringify(value))}</dd>`)
    .join('')
  const minutes = Math.round(alert.window_seconds / 60)
  return (
    `<tr><td>${escapeHtml(alert.signal)}</td><td>${escapeHtml(alert.severity)}</td>` +
    `<td>${utc(Date.parse(alert.detected_at))}</td>` +
    `<td class="number">${short(alert.observed)}<br><small>in ${minutes} min</small></td>` +
    `<td class="number">${short(alert.expected)}<br><small>${short(alert.expected_low)} to ${short(alert.expected_high)}</small></td>` +
    `<td class="number">${short(alert.score)}</td>` +
    `<td>${escapeHtml(alert.summary)}<details><summary>Evidence</summary><dl>${evidence}</dl></details></td></tr>`
  )
}

function short(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en')
}

function utc(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')
}

import { describeAlert, visibleText } from '#shared/domain/alert-text.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { describeNumber } from '#shared/domain/number-text.ts'
import { knowledgeText } from '../keys/knowledge-text.ts'
import { shortTime, tableOf, type Column } from '../output/table.ts'
import { decisionText } from './decision-text.ts'
import { storedScore, type Explanation } from './explanation.ts'
import { habitsText } from './habits-text.ts'
import type { KeyAtMoment } from './key-at-moment.ts'
import { points, section } from './section.ts'

const LINE_MAX = 400

/** An explanation for a terminal, one section after the other: what was stored first. `judged`: how such signals are. */
export function explanationText(explanation: Explanation, judged: string | undefined): string {
  const { alert, moment } = explanation
  return [
    ...(alert === null ? [] : storedText(explanation, alert)),
    ...(judged === undefined ? [] : section('How this signal is judged', wrapped(judged))),
    ...(moment === null ? [] : momentText(explanation, moment)),
    '',
    'Times are UTC. How Keywatch decides: docs/detection.md',
  ]
    .join('\n')
    .trimStart()
}

function storedText({ changes, others }: Explanation, alert: NonNullable<Explanation['alert']>): string[] {
  const text = describeAlert(alert, alert.status === 'resolved' ? 'resolved' : 'opened')
  return [
    text.title,
    `  ${text.sentence}`,
    ...section('What was stored', [
      ...tableOf(changeColumns, changes).split('\n'),
      `alert ${alert.alert_id}, incident ${alert.incident_id}, marked: ${alert.verdict ?? 'not yet'}`,
      ...(others.length === 0 ? [] : [`also in this incident: ${[...new Set(others)].join(', ')}`]),
    ]),
    ...section('Stored evidence', text.evidence),
  ]
}

const changeColumns: readonly Column<Alert>[] = [
  { heading: 'CHANGE', text: ({ revision }) => String(revision), align: 'right' },
  { heading: 'AT', text: ({ changed_at }) => momentOf(changed_at) },
  { heading: 'STATUS', text: ({ status }) => status },
  { heading: 'SEVERITY', text: ({ severity }) => severity },
  { heading: 'OBSERVED', text: ({ observed }) => describeNumber(observed), align: 'right' },
  { heading: 'EXPECTED', text: ({ expected }) => describeNumber(expected), align: 'right' },
  { heading: 'POINTS', text: ({ score }) => points(score), align: 'right' },
  { heading: 'SCORE', text: (alert) => optional(storedScore(alert)?.total), align: 'right' },
  { heading: 'LIMIT', text: (alert) => optional(storedScore(alert)?.limit), align: 'right' },
]

function optional(value: number | undefined): string {
  return value === undefined ? '–' : points(value)
}

function momentText(explanation: Explanation, moment: KeyAtMoment): string[] {
  const { source } = moment.key ?? {}
  const at = momentOf(new Date(moment.atMs).toISOString())
  const title =
    source === undefined
      ? `What the engine thought at ${at}`
      : `What the engine thought of ${visibleText(`${source}/${moment.key?.key ?? ''}`, 160)} at ${at}`
  return [
    ...section(title, basisLines(explanation, moment)),
    ...(moment.key === undefined
      ? []
      : [...decisionText(moment.key, moment.liveKeys), ...habitsText(moment.key)]),
    ...section(
      'What people had stated',
      moment.knowledge.map((item) => visibleText(`${knowledgeText(item)} (${item.author})`, LINE_MAX)),
    ),
  ]
}

function basisLines({ differences, gaps }: Explanation, { basis, key }: KeyAtMoment): string[] {
  const events = `${describeNumber(basis.events)} ${basis.events === 1 ? 'event' : 'events'}`
  const from =
    basis.savedUntilMs === undefined
      ? `worked out again from ${events} that are stored of the ${describeNumber(35)} days before`
      : `from the state that the detector saved at ${momentOf(new Date(basis.savedUntilMs).toISOString())}, and ${events} since`
  return [
    key === undefined
      ? 'No message of this key is stored that is so old: nothing can be worked out again.'
      : from,
    ...(key === undefined ? [] : comparisonLines(differences)),
    ...gaps.map((gap) => `note: ${gap}`),
  ]
}

function comparisonLines(differences: Explanation['differences']): string[] {
  if (differences === null) return []
  if (differences.length === 0) return ['the same as what was stored']
  return [
    'NOT the same as what was stored; the stored numbers are what counted then:',
    ...differences.map((text) => `  ${text}`),
    'settings, attribution, or the version of Keywatch may have changed since; events that were stored later count as well',
  ]
}

/** To the second: several changes may fall into one minute. */
function momentOf(iso: string): string {
  return `${shortTime(iso)}:${iso.slice(17, 19)}`
}

const WIDTH = 110

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

import { visibleText } from '#shared/domain/alert-text.ts'
import { describeNumber } from '#shared/domain/number-text.ts'
import type { EvidenceDescription, KeyDescription } from '#shared/detection/explain-key.ts'
import { shortTime, tableOf, type Column } from '../output/table.ts'
import { pairs, points, section } from './section.ts'

const TEXT_MAX = 300

/** The sum, the limit and the rule that decided; then the evidence, its groups, and where the limit comes from. */
export function decisionText(key: KeyDescription, liveKeys: number): string[] {
  return [
    ...section('Decision', decisionLines(key)),
    ...section('Evidence that holds', evidenceLines(key.evidence)),
    ...section('Score by group', groupLines(key)),
    ...section('Calibration', calibrationLines(key, liveKeys)),
  ]
}

function decisionLines({ score, limit, floor, own_limit, decision, severity }: KeyDescription): string[] {
  return pairs([
    ['score', points(score.total)],
    ['limit', `${points(limit)} (${limitReason({ limit, floor, own_limit })})`],
    ['decided', decision],
    ['severity', severity ?? 'none: shown on the boards at most'],
  ])
}

function limitReason({
  limit,
  floor,
  own_limit,
}: Pick<KeyDescription, 'limit' | 'floor' | 'own_limit'>): string {
  if (limit <= floor) return `the floor for every key; its own days would ask for ${points(own_limit)}`
  if (limit < own_limit)
    return `the most that is asked of any key; its own days would ask for ${points(own_limit)}`
  return `learnt from this key's own days; the floor for every key is ${points(floor)}`
}

const evidenceColumns: readonly Column<EvidenceDescription>[] = [
  { heading: 'SIGNAL', text: ({ signal }) => signal },
  { heading: 'GROUP', text: ({ group }) => group },
  { heading: 'POINTS', text: ({ points: value }) => points(value), align: 'right' },
  { heading: 'OBSERVED', text: ({ observed }) => describeNumber(observed), align: 'right' },
  { heading: 'EXPECTED', text: ({ expected }) => describeNumber(expected), align: 'right' },
  {
    heading: 'USUAL',
    text: ({ expected_low, expected_high }) =>
      `${describeNumber(expected_low)} to ${describeNumber(expected_high)}`,
    align: 'right',
  },
  { heading: 'MESSAGES', text: ({ messages }) => describeNumber(messages), align: 'right' },
  { heading: 'SINCE', text: ({ since }) => shortTime(since) },
]

function evidenceLines(evidence: readonly EvidenceDescription[]): string[] {
  if (evidence.length === 0) return ['none']
  return [
    ...tableOf(evidenceColumns, evidence).split('\n'),
    ...evidence.map(({ signal, text }) => `${signal}: ${visibleText(text, TEXT_MAX)}`),
  ]
}

const groupMeaning: Readonly<Record<string, string>> = {
  sender: 'what sends: fields, templates, categories',
  audience: 'to whom',
  volume: 'how much; only the strongest counts',
  outcome: 'what becomes of it: bounces, complaints, links',
  key: 'the key itself: retired, dormant, unattributed',
  total: 'the clearest group whole, of the others what is more than faint',
}

function groupLines({ score }: KeyDescription): string[] {
  const groups = Object.entries(score.groups).map(([group, value]) => ({ group, value }))
  const columns: readonly Column<(typeof groups)[number]>[] = [
    { heading: 'GROUP', text: ({ group }) => group },
    { heading: 'POINTS', text: ({ value }) => points(value), align: 'right' },
    { heading: 'LOOKS AT', text: ({ group }) => groupMeaning[group] ?? '', lengthMax: 80 },
  ]
  return tableOf(columns, [...groups, { group: 'total', value: score.total }]).split('\n')
}

function calibrationLines(key: KeyDescription, liveKeys: number): string[] {
  const { days_learnt, largest_scores, largest_today, days_between_such_scores, page_every_days } = key
  return pairs([
    ['days learnt', `${describeNumber(days_learnt)} with traffic and without an incident, of the last 60`],
    [
      'largest daily scores',
      largest_scores.length === 0 ? 'none yet' : largest_scores.map(points).join(', '),
    ],
    ['largest today', points(largest_today)],
    ['a score like this', rarityText(days_between_such_scores)],
    [
      'may wake somebody',
      `once in ${rounded(page_every_days)} days by chance; keys live in the fleet: ${describeNumber(liveKeys)}`,
    ],
  ])
}

function rounded(days: number): string {
  return describeNumber(days < 100 ? Math.round(days * 10) / 10 : Math.round(days))
}

const YEARS_MAX = 1000

function rarityText(days: number): string {
  const years = days / 365
  if (years > YEARS_MAX) return `less than once in ${describeNumber(YEARS_MAX)} years of this key`
  const inYears = years < 1 ? '' : ` (${describeNumber(Math.round(years * 10) / 10)} years)`
  return `once in ${rounded(days)} days of this key${inYears}`
}

import { describe, expect, it } from 'vitest'
import { judgeAlerts, type JudgeInput } from './judge-alerts.ts'
import type { AlertChange } from './incidents.ts'
import type { Label } from './labels.ts'
import { summarise } from './summarise.ts'

const DAY_MS = 86_400_000
const START_MS = Date.parse('2026-01-01T00:00:00Z')
const at = (days: number, seconds = 0) => new Date(START_MS + days * DAY_MS + seconds * 1000).toISOString()

function aChange(change: Partial<AlertChange> = {}): AlertChange {
  return {
    alert_id: 'alert-1',
    incident_id: 'incident-1',
    source: 'main',
    key: 'orders',
    signal: 'novelty.sender',
    severity: 'warning',
    status: 'open',
    started_at: at(20),
    changed_at: at(20, 60),
    ended_at: null,
    ...change,
  }
}

function aLabel(label: Partial<Label> = {}): Label {
  return {
    kind: 'attack',
    scenario: 'blast',
    family: 'sender',
    signals: [],
    source: 'main',
    key: 'orders',
    attributed_as: 'orders',
    targets: [],
    started_at: at(20),
    ended_at: at(20, 600),
    messages: 4,
    message_ids: ['a', 'b', 'c', 'd'],
    ...label,
  }
}

/** Messages a to d leave 10, 20, 30 … seconds after the attack's start. */
const times = new Map(
  ['a', 'b', 'c', 'd'].map((id, index) => [id, START_MS / 1000 + 20 * 86_400 + 10 + 10 * index]),
)
function judge(given: Partial<JudgeInput>) {
  return judgeAlerts({
    labels: [aLabel()],
    changes: [aChange()],
    timeOf: (id) => times.get(id),
    keys: [
      { key: 'orders', firstMs: START_MS, lastMs: START_MS + 28 * DAY_MS },
      { key: 'made-up', firstMs: START_MS, lastMs: START_MS },
      { key: 'unattributed', firstMs: START_MS, lastMs: START_MS + 28 * DAY_MS },
    ],
    fromMs: START_MS,
    ...given,
  })
}
const first = (given: Partial<JudgeInput>) => judge(given).attacks[0]

describe('judgeAlerts', () => {
  it('counts the messages that left up to the alarm, and the seconds from the first of them', () => {
    const changes = [aChange({ changed_at: at(20, 30) })]
    expect(first({ changes })).toMatchObject({
      alarmAt: at(20, 30),
      messagesBefore: 3,
      seconds: 20,
      named: true,
    })
    expect(judge({ changes }).falseIncidents).toEqual([])
  })

  it.each([
    { place: 'its own key', change: {} },
    { place: 'the key that attribution made of it', change: { key: 'payroll' } },
    { place: 'unattributed mail', change: { key: 'unattributed' } },
    { place: 'the whole source', change: { key: '*' } },
    { place: 'the fleet', change: { source: '*', key: '*' } },
  ])('takes an alarm on $place', ({ change }) => {
    const labels = [aLabel({ attributed_as: 'payroll' })]
    expect(first({ labels, changes: [aChange(change)] })?.incidentId).toBe('incident-1')
  })

  it.each([
    { why: 'on another key', change: { key: 'other' } },
    { why: 'on another source', change: { source: 'billing' } },
    { why: 'that is only info', change: { severity: 'info' } },
    { why: 'before the attack', change: { changed_at: at(19, 86_399) } },
    { why: 'more than ten minutes after its end', change: { changed_at: at(20, 1201) } },
  ] as const)('takes no alarm $why', ({ change }) => {
    expect(first({ changes: [aChange(change)] })).toMatchObject({ incidentId: undefined, messagesBefore: 4 })
  })

  it('takes the moment at which an incident became a warning, not the one at which it opened', () => {
    const changes = [
      aChange({ severity: 'info', changed_at: at(19) }),
      aChange({ severity: 'warning', changed_at: at(20, 25) }),
    ]
    expect(first({ changes })).toMatchObject({ alarmAt: at(20, 25), messagesBefore: 2 })
  })

  it('reads the first three signals only', () => {
    const signals = ['volume.spike', 'mix.recipient_domain', 'key.dormant_woke', 'novelty.sender'] as const
    const changes = signals.map((signal, index) =>
      aChange({ signal, alert_id: `alert-${index}`, changed_at: at(20, 60 + index) }),
    )
    expect(first({ changes })?.named).toBe(false)
    expect(first({ changes: changes.slice(1) })?.named).toBe(true)
    expect(first({ changes, labels: [aLabel({ signals: ['volume.spike'] })] })?.named).toBe(true)
  })

  it('counts incidents that match no attack, with the first two weeks and without', () => {
    const changes = [
      aChange({ incident_id: 'early', alert_id: 'early', changed_at: at(3) }),
      aChange({ incident_id: 'late', alert_id: 'late', changed_at: at(25) }),
      aChange({ incident_id: 'quiet', alert_id: 'quiet', changed_at: at(26), severity: 'info' }),
    ]
    const judged = judge({ changes })
    expect(judged.falseIncidents.map(({ incidentId }) => incidentId)).toEqual(['early', 'late'])
    expect(judged.falseIncidentsSettled).toBe(1)
    expect(judged.keyYears).toBeCloseTo(28 / 365.25)
    expect(judged.keyYearsSettled).toBeCloseTo(14 / 365.25)
  })

  it('says which look-alikes paged', () => {
    const benign = aLabel({ kind: 'benign', scenario: 'campaign-moved' })
    expect(judge({ labels: [benign] }).lookAlikes).toEqual([{ label: benign, incidentIds: ['incident-1'] }])
    const other = aLabel({ kind: 'benign', key: 'other', attributed_as: 'other' })
    expect(judge({ labels: [other] }).lookAlikes[0]?.incidentIds).toEqual([])
    const several = { ...other, targets: [{ source: 'main', key: 'orders' }] }
    expect(judge({ labels: [several] }).lookAlikes[0]?.incidentIds).toEqual(['incident-1'])
  })

  it('does not blame a look-alike for the page of an attack', () => {
    const labels = [aLabel(), aLabel({ kind: 'benign' })]
    expect(judge({ labels }).lookAlikes[0]?.incidentIds).toEqual([])
  })
})

describe('summarise', () => {
  it('gives each alert the highest severity that it reached, by signal and per key-week', () => {
    const changes = [
      aChange({ severity: 'info' }),
      aChange({ severity: 'critical' }),
      aChange({ status: 'resolved', severity: 'critical' }),
      aChange({ alert_id: 'alert-2', incident_id: 'incident-2', signal: 'key.new', severity: 'info' }),
    ]
    const summary = summarise({
      changes,
      keys: [{ firstMs: START_MS, lastMs: START_MS + 14 * DAY_MS }],
      events: 10,
      duplicates: 1,
      badLines: 0,
      fromMs: START_MS,
      toMs: START_MS + 14 * DAY_MS,
    })
    expect(summary.incidents).toEqual({ info: 1, warning: 0, critical: 1 })
    expect(summary.signals).toEqual([
      { signal: 'key.new', per_key_week: 0.5, info: 1, warning: 0, critical: 0 },
      { signal: 'novelty.sender', per_key_week: 0.5, info: 0, warning: 0, critical: 1 },
    ])
  })
})

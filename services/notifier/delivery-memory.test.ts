import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { severities, type Alert } from '#shared/domain/alert.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { createDeliveryMemory } from './delivery-memory.ts'

function tell(minimum: (typeof severities)[number], alerts: readonly Alert[]): string[] {
  const memory = createDeliveryMemory(minimum)
  return alerts.map((alert) => {
    const decision = memory.decide(alert)
    if (decision.kind === 'skip') return decision.reason
    memory.markHandled(alert)
    return decision.change
  })
}

const open = (revision: number, severity: Alert['severity'] = 'warning') =>
  exampleAlert({ revision, severity, status: 'open' })
const resolved = (revision: number, severity: Alert['severity'] = 'warning') =>
  exampleAlert({ revision, severity, status: 'resolved', ended_at: '2026-03-01T03:00:00Z' })

describe('createDeliveryMemory', () => {
  it.each([
    {
      name: 'an alert is opened, changed and resolved',
      alerts: [open(1), open(2), resolved(3)],
      told: ['opened', 'changed', 'resolved'],
    },
    {
      name: 'the same states appended again are told once',
      alerts: [open(1), open(1), open(2), open(1), open(2), resolved(3), resolved(3)],
      told: [
        'opened',
        'already_handled',
        'changed',
        ...Array(2).fill('already_handled'),
        'resolved',
        'already_handled',
      ],
    },
    {
      name: 'an alert that rises to the severity is new to the channel',
      alerts: [open(1, 'info'), open(2, 'warning'), resolved(3)],
      told: ['below_severity', 'opened', 'resolved'],
    },
    {
      name: 'an alert that the channel never heard of is not resolved there',
      alerts: [open(1, 'info'), resolved(2, 'info')],
      told: ['below_severity', 'never_opened'],
    },
    {
      name: 'an alert is resolved even if its severity has fallen meanwhile',
      alerts: [open(1, 'critical'), open(2, 'info'), resolved(3, 'info')],
      told: ['opened', 'below_severity', 'resolved'],
    },
    {
      name: 'further evidence of an incident that somebody is at is not told, unless it is worse',
      alerts: [
        exampleAlert({ alert_id: 'a', incident_id: 'theft', severity: 'warning' }),
        exampleAlert({ alert_id: 'b', incident_id: 'theft', severity: 'warning' }),
        exampleAlert({ alert_id: 'c', incident_id: 'theft', severity: 'critical' }),
        exampleAlert({
          alert_id: 'b',
          incident_id: 'theft',
          revision: 2,
          severity: 'warning',
          status: 'resolved',
        }),
        exampleAlert({ alert_id: 'd', severity: 'critical', incident_id: 'another' }),
      ],
      told: ['opened', 'same_incident', 'opened', 'never_opened', 'opened'],
    },
    {
      name: 'an incident that comes again after all of it was over is told again',
      alerts: [
        exampleAlert({ alert_id: 'a', incident_id: 'theft', severity: 'warning' }),
        exampleAlert({
          alert_id: 'a',
          incident_id: 'theft',
          revision: 2,
          severity: 'warning',
          status: 'resolved',
        }),
        exampleAlert({ alert_id: 'b', incident_id: 'theft', severity: 'warning' }),
      ],
      told: ['opened', 'resolved', 'opened'],
    },
    {
      name: 'a resolved state supersedes an open one of the same revision, not the reverse',
      alerts: [open(1), resolved(1), open(1)],
      told: ['opened', 'resolved', 'already_handled'],
    },
  ])('$name', ({ alerts, told }) => {
    expect(tell('warning', alerts)).toEqual(told)
  })

  it('tells each state at most once however often and in whatever order states are appended', () => {
    const states = fc.record({
      alert_id: fc.constantFrom('a', 'b'),
      revision: fc.integer({ min: 1, max: 5 }),
      severity: fc.constantFrom(...severities),
      status: fc.constantFrom('open' as const, 'resolved' as const),
    })
    fc.assert(
      fc.property(fc.array(states, { maxLength: 40 }), (history) => {
        const memory = createDeliveryMemory('warning')
        const sent = history
          .map((state) => exampleAlert(state))
          .filter((alert) => {
            const send = memory.decide(alert).kind === 'send'
            if (send) memory.markHandled(alert)
            return send
          })
        const ids = sent.map(({ alert_id, revision, status }) => `${alert_id} ${revision} ${status}`)
        expect(new Set(ids).size).toBe(ids.length)
      }),
    )
  })

  it('remembers at most 10,000 alerts and forgets the oldest first', () => {
    const memory = createDeliveryMemory('info')
    const numbered = (n: number) => exampleAlert({ alert_id: `alert-${n}`, incident_id: `incident-${n}` })
    for (let n = 0; n <= 10_000; n += 1) memory.markHandled(numbered(n))
    expect(memory.decide(numbered(0)).kind).toBe('send')
    expect(memory.decide(numbered(1)).kind).toBe('skip')
    expect(memory.decide(numbered(10_000)).kind).toBe('skip')
  })
})

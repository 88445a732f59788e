import { describe, expect, it } from 'vitest'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { incidentsOf } from './incident.ts'

const nobody = { verdictOf: () => undefined }

describe('incidentsOf', () => {
  it('puts open incidents first, the gravest first, then what is over, the latest first', () => {
    const over = { status: 'resolved', ended_at: '2026-03-02T00:00:00.000Z' } as const
    const incidents = incidentsOf(
      [
        exampleAlert({ alert_id: 'a1', incident_id: 'old', ...over, started_at: '2026-03-01T00:00:00.000Z' }),
        exampleAlert({ alert_id: 'a2', incident_id: 'new', ...over, started_at: '2026-03-01T09:00:00.000Z' }),
        exampleAlert({
          alert_id: 'a3',
          incident_id: 'mild',
          severity: 'info',
          started_at: '2026-03-01T10:00:00.000Z',
        }),
        exampleAlert({ alert_id: 'a4', incident_id: 'grave', started_at: '2026-03-01T01:00:00.000Z' }),
      ],
      nobody,
    )
    expect(incidents.map(({ incident_id }) => incident_id)).toEqual(['grave', 'mild', 'new', 'old'])
  })

  it('takes the gravest severity, the earliest start, the fewest messages; is open while any alert is', () => {
    const alerts = [
      exampleAlert({
        alert_id: 'a1',
        incident_id: 'theft',
        signal: 'key.new',
        severity: 'info',
        status: 'resolved',
        started_at: '2026-03-01T00:00:00.000Z',
        ended_at: '2026-03-01T01:00:00.000Z',
        messages_before_alarm: 90,
      }),
      exampleAlert({ alert_id: 'a2', incident_id: 'theft', messages_before_alarm: 12 }),
      exampleAlert({ alert_id: 'a3', incident_id: 'theft', key: 'orders', severity: 'warning' }),
    ]
    const verdictOf = (id: string) => (id === 'a2' ? 'true' : undefined)
    const [incident] = incidentsOf(alerts, { verdictOf })
    expect(incident).toMatchObject({
      status: 'open',
      severity: 'critical',
      started_at: '2026-03-01T00:00:00.000Z',
      ended_at: null,
      messages_before_alarm: 12,
      verdicts: ['true'],
      signals: ['volume.spike', 'key.new'],
    })
    expect(incident?.keys.map(({ key }) => key)).toEqual(['billing', 'orders'])
    expect(incident?.alerts.map(({ alert_id, verdict }) => [alert_id, verdict])).toEqual([
      ['a2', 'true'],
      ['a3', null],
      ['a1', null],
    ])
  })
})

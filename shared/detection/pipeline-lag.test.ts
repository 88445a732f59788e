import { describe, expect, it } from 'vitest'
import { alertSchema } from '#shared/domain/alert.ts'
import { createLagWatch } from './pipeline-lag.ts'

const START_MS = Date.UTC(2026, 2, 1, 2, 17, 30)
const given = { partition: 2, warningSeconds: 120 }
const seen = (lagSeconds: number, records = 500) => ({
  oldestMs: START_MS,
  records,
  nowMs: START_MS + lagSeconds * 1000,
})

describe('createLagWatch', () => {
  it('warns once, however long it lasts and however far the oldest record moves', () => {
    const watch = createLagWatch(given)
    expect(watch.judge(seen(119))).toEqual([])
    const [alert, ...others] = watch.judge(seen(121))
    expect(others).toEqual([])
    expect(alertSchema.parse(alert)).toMatchObject({
      signal: 'pipeline.lag',
      severity: 'warning',
      source: '*',
      key: '*',
      status: 'open',
      observed: 121,
      started_at: '2026-03-01T02:17:00.000Z',
    })
    expect(alert?.summary).toBe(
      'Alerts come late: the detector is 2 minutes behind on partition 2 of the event log, where the oldest event that ' +
        'it has not handled lies since 2026-03-01 02:17 UTC, with 499 behind it. No event is lost.',
    )
    for (let minute = 3; minute < 300; minute += 1) {
      const oldestMs = START_MS + minute * 30_000
      expect(watch.judge({ oldestMs, records: 1, nowMs: oldestMs + 130_000 })).toEqual([])
    }
  })

  it('is over only well below the limit, or when nothing is left', () => {
    const watch = createLagWatch(given)
    watch.judge(seen(200))
    expect(watch.judge(seen(100))).toEqual([])
    expect(watch.judge(seen(59))).toMatchObject([{ status: 'resolved', revision: 2, severity: 'warning' }])
    expect(watch.judge(seen(59))).toEqual([])
    const [again] = watch.judge(seen(121))
    expect(watch.judge({ oldestMs: undefined, records: 0, nowMs: START_MS })).toMatchObject([
      { alert_id: again?.alert_id, status: 'resolved' },
    ])
  })

  it('finds the same alert for the same record, and another one for another partition', () => {
    const idsOf = (partition: number, lag: number) =>
      createLagWatch({ ...given, partition })
        .judge(seen(lag))
        .map(({ alert_id, incident_id }) => [alert_id, incident_id])
    expect(idsOf(2, 500)).toEqual(idsOf(2, 121))
    expect(idsOf(3, 121)).not.toEqual(idsOf(2, 121))
    expect(idsOf(3, 121)[0]?.[1]).not.toEqual(idsOf(2, 121)[0]?.[1])
  })

  it('goes on with the alert of an owner before it, and leaves those of other partitions alone', () => {
    const own = createLagWatch(given).judge(seen(121))
    const others = createLagWatch({ ...given, partition: 3 }).judge(seen(121))
    const watch = createLagWatch(given)
    watch.load([...own, ...others])
    expect(watch.judge(seen(130))).toEqual([])
    expect(watch.judge(seen(0))).toMatchObject([{ alert_id: own[0]?.alert_id, status: 'resolved' }])
  })
})

import { describe, expect, it } from 'vitest'
import { MONDAY } from '../../test/support/engine-traffic.ts'
import { defaultDetectionSettings } from './detection-settings.ts'
import { createSilenceWatch } from './source-silence.ts'

/** Four weeks of office hours, 8 to 18 on working days, 600 events an hour; the last event is on Tuesday 10:30. */
const HOUR = 3600
const start = MONDAY * 60
const lastSeen = start + 28 * 24 * HOUR + 34 * HOUR + 1800
const hours = Array.from({ length: 28 * 24 + 35 }, (_, index) => {
  const day = Math.floor(index / 24) % 7
  const busy = day < 5 && index % 24 >= 8 && index % 24 < 18
  return { hour: start / HOUR + index, events: busy ? 600 : 0, gapMinutes: 1 }
})
const traffic = { source: 'main', lastSeen, hours }

describe('source.silent', () => {
  it('is shown within minutes in a busy hour, wakes somebody once it is long, and ends when events return', () => {
    const watch = createSilenceWatch(defaultDetectionSettings)
    expect(watch.judge([traffic], lastSeen + 60)).toEqual([])
    const [opened] = watch.judge([traffic], lastSeen + 20 * 60)
    expect(opened).toMatchObject({
      signal: 'source.silent',
      source: 'main',
      key: '*',
      severity: 'info',
      status: 'open',
    })
    expect(watch.judge([traffic], lastSeen + 21 * 60)).toEqual([])
    const [raised] = watch.judge([traffic], lastSeen + 6 * HOUR)
    expect(raised).toMatchObject({ severity: 'critical', alert_id: opened?.alert_id, revision: 2 })
    const [over] = watch.judge([{ ...traffic, lastSeen: lastSeen + 7 * HOUR }], lastSeen + 7 * HOUR)
    expect(over).toMatchObject({ status: 'resolved', alert_id: opened?.alert_id, revision: 3 })
  })

  it('does not take a night or a weekend for silence', () => {
    const watch = createSilenceWatch(defaultDetectionSettings)
    const evening = start + 28 * 24 * HOUR + 4 * 24 * HOUR + 18 * HOUR - 1
    const fridayNight = { ...traffic, lastSeen: evening }
    for (let later = 1; later < 61; later += 1) {
      expect(watch.judge([fridayNight], evening + later * HOUR)).toEqual([])
    }
  })

  it('says nothing of a source that has hardly any history, or that expects little', () => {
    const watch = createSilenceWatch(defaultDetectionSettings)
    const young = { ...traffic, hours: hours.slice(-3) }
    const sparse = { ...traffic, hours: hours.map((hour) => ({ ...hour, events: hour.events / 600 })) }
    expect(watch.judge([young, sparse], lastSeen + 4 * HOUR)).toEqual([])
  })

  it('keeps quiet about a silence that was announced before a restart', () => {
    const before = createSilenceWatch(defaultDetectionSettings)
    const opened = before.judge([traffic], lastSeen + 20 * 60)
    const after = createSilenceWatch(defaultDetectionSettings)
    after.load(opened)
    expect(after.judge([traffic], lastSeen + 30 * 60)).toEqual([])
  })
})

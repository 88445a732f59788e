import { describe, expect, it } from 'vitest'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { deviationBand, staticThreshold } from './baselines.ts'
import { createHourlyBaseline, type HourlyRule } from './hourly-baseline.ts'

const START_HOUR = Date.UTC(2026, 0, 5) / 3_600_000

function aMessage(seconds: number, event = 'processed'): EngineEvent {
  return {
    source: 'main',
    key: 'orders',
    event,
    timestamp: seconds,
    receivedAtMs: seconds * 1000 + 2000,
    attribution: 'custom_arg',
  }
}

/** So many messages in each hour, evenly; each is delivered too, which must not count. */
function alertsOf<State>(rule: HourlyRule<State>, hours: readonly number[]) {
  const baseline = createHourlyBaseline(rule)
  for (const [index, messages] of hours.entries()) {
    for (let number = 0; number < messages; number += 1) {
      const seconds = (START_HOUR + index) * 3600 + Math.floor((3600 * number) / messages)
      baseline.feed(aMessage(seconds))
      baseline.feed(aMessage(seconds, 'delivered'))
    }
  }
  return baseline.finish().map(({ signal, status, changed_at: at }) => ({
    signal,
    status,
    hour: Math.floor(Date.parse(at) / 3_600_000) - START_HOUR,
    minute: new Date(at).getUTCMinutes(),
  }))
}

const week = Array.from({ length: 168 }, (_, hour) => (hour % 24 === 9 ? 100 : 20))

describe('the static threshold', () => {
  it('opens with the first message over three times the busiest hour, and ends after an hour that is not', () => {
    expect(alertsOf(staticThreshold, [20, ...week, 600, 20, 20])).toEqual([
      { signal: 'volume.spike', status: 'open', hour: 169, minute: 30 },
      { signal: 'volume.spike', status: 'resolved', hour: 171, minute: 5 },
    ])
  })

  it('says nothing of three times the busiest hour, nor in its first week', () => {
    expect(alertsOf(staticThreshold, [20, ...week, 300, 20, 20])).toEqual([])
    expect(alertsOf(staticThreshold, [...week.slice(0, 100), 600, 20, 20])).toEqual([])
  })

  it('has learnt the busiest hour since', () => {
    expect(alertsOf(staticThreshold, [20, ...week, 600, 20, 20, 600, 20, 20])).toHaveLength(2)
  })
})

describe('the band of 26 hours', () => {
  const steady = Array.from({ length: 30 }, (_, hour) => (hour % 2 === 0 ? 95 : 105))

  it('opens within the hour that rises above it', () => {
    const [first] = alertsOf(deviationBand, [...steady, 400, 100, 100])
    expect(first).toMatchObject({ signal: 'volume.spike', status: 'open', hour: 30 })
    expect(first?.minute).toBeLessThan(25)
  })

  it('opens at the end of an hour that falls below it', () => {
    expect(alertsOf(deviationBand, [...steady, 10, 100, 100])[0]).toEqual({
      signal: 'volume.drop',
      status: 'open',
      hour: 31,
      minute: 5,
    })
  })

  it('says nothing before it has 26 hours, nor inside', () => {
    expect(alertsOf(deviationBand, [...steady.slice(0, 20), 400, 100])).toEqual([])
    expect(alertsOf(deviationBand, [...steady, 100, 100])).toEqual([])
  })
})

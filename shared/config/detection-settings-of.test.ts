import { describe, expect, it } from 'vitest'
import { createKnowledgeBook } from '#shared/detection/knowledge-book.ts'
import { defaultDetectionSettings } from '#shared/detection/detection-settings.ts'
import { configSchema } from './config.ts'
import { configuredKnowledge, detectionSettingsOf, keySettingsOf } from './detection-settings-of.ts'

const configured = (detection: unknown) => configSchema.parse({ detection })

describe('detectionSettingsOf', () => {
  it('gives the defaults, and half a false page a year, where nothing is configured', () => {
    expect(detectionSettingsOf(configSchema.parse({}))).toEqual({
      ...defaultDetectionSettings,
      pageEveryDays: 730.5,
    })
  })

  it('takes every number from its setting', () => {
    const numbers = {
      false_pages_per_key_year: '2',
      excess_min: 11,
      excess_of_busy_hour: 0.5,
      ratio_min: 2.5,
      young_key_burst: 99,
      unattributed_min: 7,
      unattributed_share_max: 0.01,
      unattributed_history_min: 8,
      critical_excess: 77,
      critical_unattributed: 66,
      silence_surprise: 5,
      silence_expected_min: 9,
    }
    expect(detectionSettingsOf(configured(numbers))).toMatchObject({
      pageEveryDays: 182.625,
      excessMin: 11,
      excessOfBusyHour: 0.5,
      ratioMin: 2.5,
      youngKeyBurst: 99,
      unattributedMin: 7,
      unattributedShareMax: 0.01,
      unattributedHistoryMin: 8,
      criticalExcess: 77,
      criticalUnattributed: 66,
      silenceSurprise: 5,
      silenceExpectedMin: 9,
    })
  })

  it.each([
    [{ false_pages_per_key_year: 0 }],
    [{ ratio_min: 0.5 }],
    [{ unattributed_share_max: 2 }],
    [{ excess_minimum: 5 }],
    [{ keys: { orders: { unattributed_min: 5 } } }],
    [{ retired_keys: [{ key: 'legacy', since: 'last week' }] }],
  ])('is refused %j', (detection) => {
    expect(configSchema.safeParse({ detection }).success).toBe(false)
  })
})

describe('keySettingsOf', () => {
  it('lays a key’s own floors over the others, its source’s before its name’s', () => {
    const config = configured({
      excess_min: 40,
      keys: {
        orders: { excess_min: 5 },
        'billing/orders': { young_key_burst: 9 },
      },
    })
    const settings = detectionSettingsOf(config)
    const of = keySettingsOf(config, settings)
    expect(of('main', 'orders')).toEqual({ ...settings, excessMin: 5 })
    expect(of('billing', 'orders')).toEqual({ ...settings, youngKeyBurst: 9 })
    expect(of('main', 'newsletter')).toBe(settings)
    expect(of('main', '__proto__')).toBe(settings)
    expect(of('main', 'constructor')).toBe(settings)
  })
})

describe('configuredKnowledge', () => {
  it('makes every retired key known, on every source unless one is named', () => {
    const config = configured({
      retired_keys: ['legacy', { key: 'old', source: 'main', since: '2026-03-01T00:00:00Z' }],
    })
    const book = createKnowledgeBook(configuredKnowledge(config))
    const since = Date.parse('2026-03-01T00:00:00Z') / 1000
    expect(book.isRetired('anywhere', 'legacy', 1)).toBe(true)
    expect(book.isRetired('main', 'old', since - 1)).toBe(false)
    expect(book.isRetired('main', 'old', since)).toBe(true)
    expect(book.isRetired('billing', 'old', since)).toBe(false)
  })
})

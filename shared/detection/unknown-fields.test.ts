import { describe, expect, it } from 'vitest'
import { alertSchema } from '#shared/domain/alert.ts'
import { fieldKinds } from '#shared/domain/event-shape.ts'
import { createUnknownFields, unknownNamesOf } from './unknown-fields.ts'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 2, 1, 12)
const seen = (name: string, source = 'main') => ({ source, name, timestamp: NOW / 1000 - 90 })
const names = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => seen(`sg_new_${from + index}`))

describe('unknownNamesOf', () => {
  it("finds fields that are named like SendGrid's own, and new types of events", () => {
    expect(unknownNamesOf({ event: 'processed', sg_event_id: 'x', sg_dkim: 'pass', tenant: '7' })).toEqual([
      'sg_dkim',
    ])
    expect(unknownNamesOf({ event: 'unknown:snoozed', sg_machine_open: true })).toEqual(['unknown:snoozed'])
  })

  it('repeats nothing of a type that could be an address', () => {
    expect(unknownNamesOf({ event: 'unknown:a@example.org\u001b' })).toEqual(['unknown:a?example.org?'])
  })

  it('takes everything else for what is documented or for a custom argument', () => {
    const documented = Object.fromEntries([...fieldKinds.keys()].map((name) => [name, 'x']))
    const custom = { api_key_id: 'k', msg_sg_: '1', SG_upper: '1', sgx: '1', 'sg_a@example.org': '1' }
    expect(unknownNamesOf({ ...documented, ...custom, event: 'delivered' })).toEqual([])
  })
})

describe('createUnknownFields', () => {
  it('tells of each name of a source once, in a sentence', () => {
    const fields = createUnknownFields()
    const [field, type, ...others] = fields.tell(
      [seen('sg_dkim'), seen('unknown:snoozed'), seen('sg_dkim')],
      NOW,
    )
    expect(others).toEqual([])
    expect(alertSchema.parse(field)).toMatchObject({
      signal: 'schema.unknown_field',
      severity: 'info',
      source: 'main',
      key: '*',
      evidence: { name: 'sg_dkim', kind: 'field' },
    })
    expect(field?.summary).toMatch(/^SendGrid sends the field "sg_dkim" on main, since 2026-03-01 11:58 UTC/)
    expect(type?.summary).toMatch(/^SendGrid sends events of the type "snoozed" on main/)
    expect(fields.tell([seen('sg_dkim')], NOW + 30 * DAY_MS)).toEqual([])
    expect(fields.tell([seen('sg_dkim', 'other')], NOW)).toHaveLength(1)
  })

  it('tells of five names a day and source, then once of several, whoever invents how many', () => {
    const fields = createUnknownFields()
    const told = fields.tell(names(10_000), NOW)
    expect(told).toHaveLength(6)
    expect(told.at(-1)).toMatchObject({ evidence: { more_than_a_day: 5, latest: 'sg_new_5' } })
    expect(fields.isNews(seen('sg_other'), NOW)).toBe(false)
    expect(fields.isNews(seen('sg_other'), NOW + DAY_MS)).toBe(true)
    expect(fields.tell(names(10, 5), NOW + DAY_MS)).toHaveLength(6)
    expect(fields.tell([seen('sg_other', 'other')], NOW)).toHaveLength(1)
  })

  it('does not tell again what it has been loaded with, and counts it for its day', () => {
    const told = createUnknownFields().tell(names(4), NOW)
    const fields = createUnknownFields()
    fields.load(told)
    fields.load(told)
    expect(fields.tell(names(4), NOW + 1000)).toEqual([])
    expect(fields.tell(names(10, 4), NOW + 1000)).toHaveLength(2)
    const restarted = createUnknownFields()
    restarted.load(createUnknownFields().tell(names(10), NOW))
    expect(restarted.tell(names(10), NOW)).toEqual([])
  })

  it('makes the same alert of the same name, whoever tells of it and when', () => {
    const ids = (nowMs: number) =>
      createUnknownFields()
        .tell([{ ...seen('sg_dkim'), timestamp: nowMs / 1000 }], nowMs)
        .map(({ alert_id, incident_id }) => [alert_id, incident_id])
    expect(ids(NOW)).toEqual(ids(NOW + 5 * DAY_MS))
  })
})

import { describe, expect, it } from 'vitest'
import type { Alert } from '#shared/domain/alert.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { createChangeFilter } from './change-filter.ts'

function passed(...alerts: readonly Alert[]) {
  const taken: string[] = []
  const filter = createChangeFilter(({ severity, status }) => taken.push(`${severity} ${status}`))
  for (const alert of alerts) filter.take(alert)
  return taken
}

describe('createChangeFilter', () => {
  it('passes on the opening, each rise and the end, and no other change', () => {
    const info = exampleAlert({ severity: 'info', status: 'open' })
    const critical = exampleAlert({ severity: 'critical', status: 'open' })
    const warning = exampleAlert({ severity: 'warning', status: 'open' })
    const ended = exampleAlert({ severity: 'critical', status: 'resolved' })
    expect(passed(info, info, critical, warning, ended, ended)).toEqual([
      'info open',
      'critical open',
      'critical resolved',
    ])
  })

  it('passes on ends of open alerts only, once the events are over', () => {
    const taken: string[] = []
    const filter = createChangeFilter(({ alert_id, status }) => taken.push(`${alert_id} ${status}`))
    filter.take(exampleAlert({ alert_id: 'a', status: 'open' }))
    filter.acceptEndsOnly()
    filter.take(exampleAlert({ alert_id: 'b', status: 'open' }))
    filter.take(exampleAlert({ alert_id: 'b', status: 'resolved' }))
    expect(filter.openCount()).toBe(1)
    filter.take(exampleAlert({ alert_id: 'a', status: 'resolved' }))
    expect(filter.openCount()).toBe(0)
    expect(taken).toEqual(['a open', 'a resolved'])
  })
})

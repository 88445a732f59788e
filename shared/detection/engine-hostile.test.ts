import { describe, expect, it } from 'vitest'
import { alertSchema, type Alert } from '#shared/domain/alert.ts'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import { aMessage, MONDAY } from '../../test/support/engine-traffic.ts'
import { createDetectionEngine } from './detection-engine.ts'
import { defaultDetectionSettings } from './detection-settings.ts'
import type { EngineEvent, EventFacts } from './engine-input.ts'
import { createKnowledgeBook } from './knowledge-book.ts'

const DAY = 1440
const THEFT = MONDAY + 30 * DAY + 700

const own: EventFacts = {
  recipient: 1,
  recipientDomain: 'gmail.com',
  fingerprint: '11',
  senderHost: 'geopod-ismtpd-#',
  template: 'd-order',
  categories: 'order',
  pool: 'main',
  campaign: '',
  linkHost: '',
  bounceClass: '',
  machineOpen: false,
}
const domains = ['gmail.com', 'outlook.com', 'gmx.de', 'web.de', 'firma.example']
const bought = ['yahoo.com', 'hotmail.com', 'aol.com', 'mail.ru', 'yahoo.co.jp']

function message(minute: number, facts: Partial<EventFacts>): EngineEvent {
  return { ...aMessage({ key: 'orders', seconds: minute * 60 }), facts: { ...own, ...facts } }
}

/** A month of a key's own mail, forty messages a day by daylight. */
function* ownMail(): Generator<EngineEvent> {
  for (let index = 0; index < 30 * 40; index += 1) {
    const minute = MONDAY + Math.floor(index / 40) * DAY + 480 + (index % 40) * 15
    yield message(minute, {
      recipient: 1 + ((index * 7919) % 300),
      recipientDomain: domains[((index * 7919) % 300) % domains.length] ?? '',
    })
  }
}

const foreign = (index: number): Partial<EventFacts> => ({
  recipient: 100_000 + index,
  recipientDomain: bought[index % bought.length] ?? '',
  fingerprint: '99',
  senderHost: 'vps-#.hosting.example',
  template: '',
  categories: '',
  pool: '',
})

function run(events: Iterable<EngineEvent>, knowledge: readonly Knowledge[] = []) {
  const alerts: Alert[] = []
  const engine = createDetectionEngine(defaultDetectionSettings, (alert) =>
    alerts.push(alertSchema.parse(alert)),
  )
  engine.setKnowledge(createKnowledgeBook(knowledge))
  for (const event of events) engine.feed(event)
  return alerts.filter(({ severity }) => severity !== 'info')
}

describe('a thief', () => {
  it('cannot make an alert that the warehouse would refuse: no half character is in it', () => {
    const categories = `${'x'.repeat(59)}😀 and more of it`
    const stolen = Array.from({ length: 20 }, (_, index) =>
      message(THEFT + index, { ...foreign(index), categories, template: '😀'.repeat(80) }),
    )
    const alerts = run([...ownMail(), ...stolen])
    expect(alerts.length).toBeGreaterThan(0)
    expect(alerts.every((alert) => JSON.stringify(alert).isWellFormed())).toBe(true)
    expect(alerts.filter((alert) => /\\ud[89ab]/i.test(JSON.stringify(alert)))).toEqual([])
  })

  it('does not become a habit by one test mail of the day before', () => {
    const stolen = Array.from({ length: 40 }, (_, index) =>
      message(THEFT + DAY + index, {
        ...foreign(index),
        recipientDomain: domains[index % domains.length] ?? '',
      }),
    )
    const [first] = run([
      ...ownMail(),
      message(THEFT, { ...foreign(0), recipientDomain: 'gmail.com' }),
      ...stolen,
    ])
    expect(first?.messages_before_alarm).toBeLessThanOrEqual(12)
  })

  it('does not hide behind a plan that says only how much will be sent', () => {
    const at = (minute: number) => new Date(minute * 60_000).toISOString()
    const plan: Knowledge = {
      kind: 'planned_send',
      knowledge_id: 'plan',
      source: 'main',
      key: 'orders',
      from: at(THEFT - 10),
      until: at(THEFT + 240),
      messages_max: 50_000,
      author: 'somebody',
      note: '',
      created_at: at(MONDAY),
      revoked: false,
    }
    const stolen = Array.from({ length: 60 }, (_, index) => message(THEFT + index, foreign(index)))
    expect(run([...ownMail(), ...stolen], [plan])[0]?.messages_before_alarm).toBeLessThanOrEqual(12)
  })

  it('is noticed under a name of his own choice once he sends in earnest', () => {
    const blast = Array.from({ length: 1500 }, (_, index) => ({
      ...aMessage({ key: 'invented', seconds: THEFT * 60 + Math.floor(index / 3) }),
    }))
    expect(run([...ownMail(), ...blast]).filter(({ key }) => key === 'invented').length).toBeGreaterThan(0)
  })
})

it('an event of long ago makes no source and no key old, and costs no time', () => {
  const ancient = { ...aMessage({ key: 'orders', seconds: 1_230_768_000 }), receivedAtMs: MONDAY * 60_000 }
  const first = Array.from({ length: 40 }, (_, index) =>
    aMessage({ key: `k${index}`, seconds: MONDAY * 60 + index }),
  )
  const started = process.cpuUsage().user
  expect(run([ancient, ...first, aMessage({ key: 'k1', seconds: MONDAY * 60 + 7200 })])).toEqual([])
  expect(process.cpuUsage().user - started).toBeLessThan(1_000_000)
})

import { describe, expect, it } from 'vitest'
import {
  collectingSink,
  DAY_MINUTES,
  FIRST_MINUTE,
  judgedAndMature,
  outcomeEvent,
} from '../../../test/support/outcome-traffic.ts'
import { countClick, createLinkHosts } from './link-hosts.ts'
import { advanceOutcomes, countOutcome, createOutcomes, setOutcomeTraining } from './outcome-watch.ts'
import { registrableDomain } from './registrable-domain.ts'

const SIGNAL = 'novelty.url_domain'
let person = 1

function clicks(hosts: readonly string[], startMinute: number, minutesApart = 3) {
  return hosts.map((linkHost, index) => {
    person += 1
    return outcomeEvent('click', startMinute + index * minutesApart, { linkHost, recipient: person })
  })
}

function repeated(host: string, count: number): string[] {
  return Array.from({ length: count }, () => host)
}

/** A key whose people click a few times a day, always on one domain. */
function keyWithClicks(days: number, clicksADay: number, hostOf = (_day: number) => 'www.shop.example') {
  const state = createOutcomes()
  const sink = collectingSink()
  for (let day = 0; day < days; day += 1) {
    const events = clicks(repeated(hostOf(day), clicksADay), FIRST_MINUTE + day * DAY_MINUTES + 500, 20)
    for (const event of events) countOutcome(state, event, judgedAndMature, sink)
  }
  const today = FIRST_MINUTE + days * DAY_MINUTES
  advanceOutcomes(state, today, judgedAndMature, sink)
  const pointsOf = (hosts: readonly string[], startMinute = today + 600, minutesApart = 3) => {
    const found = collectingSink()
    for (const event of clicks(hosts, startMinute, minutesApart))
      countOutcome(state, event, judgedAndMature, found)
    return found
  }
  return { state, sink, today, pointsOf }
}

describe('a link domain', () => {
  it('that takes over the clicks is conclusive within five of them, after thirty clicks of history', () => {
    for (const [days, aDay] of [
      [3, 10],
      [6, 5],
      [30, 40],
    ] as const) {
      const { pointsOf, sink } = keyWithClicks(days, aDay)
      expect(sink.reports).toEqual([])
      expect(pointsOf(repeated('login-bank.example', 4)).most(SIGNAL)).toBeGreaterThan(4)
      const found = pointsOf(['login-bank.example'])
      expect(found.most(SIGNAL)).toBeGreaterThanOrEqual(6)
      expect(found.reports.at(-1)?.text).toContain('login-bank.example')
      expect(found.reports.at(-1)?.text).toContain('usually shop.example')
    }
  })

  it('that a deployment adds beside the old ones is worth three points at most', () => {
    const pattern = ['help.partner.example', ...repeated('www.shop.example', 5)]
    const { pointsOf } = keyWithClicks(30, 40)
    const found = pointsOf(Array.from({ length: 60 }, () => pattern).flat())
    expect(found.most(SIGNAL)).toBeGreaterThanOrEqual(1)
    expect(found.most(SIGNAL)).toBeLessThanOrEqual(3)
  })

  it('below a known one is no news', () => {
    const { pointsOf } = keyWithClicks(20, 10)
    expect(pointsOf(repeated('new-area.shop.example', 20)).reports).toEqual([])
  })

  it('that one person clicks many times is worth two points at most', () => {
    const { state, today } = keyWithClicks(20, 10)
    const found = collectingSink()
    for (let index = 0; index < 20; index += 1) {
      const event = outcomeEvent('click', today + 600 + index, { linkHost: 'odd.example', recipient: 5 })
      countOutcome(state, event, judgedAndMature, found)
    }
    expect(found.most(SIGNAL)).toBeLessThanOrEqual(2)
  })

  it('that only machines fetch says nothing', () => {
    const { state, today } = keyWithClicks(20, 10)
    const found = collectingSink()
    for (let index = 0; index < 20; index += 1) {
      const facts = { linkHost: 'odd.example', recipient: index + 1, machineOpen: true }
      countOutcome(state, outcomeEvent('click', today + 600 + index, facts), judgedAndMature, found)
    }
    expect(found.reports).toEqual([])
  })

  it('is little news on a key that links elsewhere every day', () => {
    const { pointsOf } = keyWithClicks(40, 12, (day) => `campaign${day}.example`)
    expect(pointsOf(repeated('campaign-next.example', 12)).most(SIGNAL)).toBeLessThan(3)
  })

  it('that takes a third of the clicks is as much news as the key is stable, with enough of them', () => {
    const { pointsOf } = keyWithClicks(30, 10)
    const found = pointsOf(
      Array.from({ length: 10 }, () => [
        'x.example',
        'www.shop.example',
        'x.example',
        'www.shop.example',
        'www.shop.example',
      ]).flat(),
    )
    expect(found.most(SIGNAL)).toBeGreaterThanOrEqual(6)
  })

  it('is still new when midnight comes between its clicks', () => {
    const { pointsOf, today } = keyWithClicks(20, 10)
    expect(
      pointsOf(repeated('login-bank.example', 5), today + DAY_MINUTES - 100, 60).most(SIGNAL),
    ).toBeGreaterThan(6)
  })

  it('is known after three days, unless its day was an incident', () => {
    for (const incident of [false, true]) {
      const { pointsOf, state, today } = keyWithClicks(20, 10)
      pointsOf(repeated('new.example', 6))
      if (incident) setOutcomeTraining(state, { startMinute: today + 600, endMinute: today + 640 }, false)
      const again = pointsOf(repeated('new.example', 6), today + 5 * DAY_MINUTES)
      expect(again.most(SIGNAL) > 5).toBe(incident)
    }
  })

  it('of an incident that has been told is no news while people go on clicking its mail', () => {
    const { pointsOf, state, today } = keyWithClicks(20, 10)
    pointsOf(repeated('new.example', 6))
    setOutcomeTraining(state, { startMinute: today + 600, endMinute: today + 640 }, false)
    expect(pointsOf(repeated('new.example', 6), today + DAY_MINUTES + 700).reports).toEqual([])
  })
})

describe('the people who click a new link', () => {
  const clickedBy = (recipients: readonly number[]) => {
    const hosts = createLinkHosts()
    for (const recipient of recipients) {
      countClick(hosts, { host: 'odd.example', minute: FIRST_MINUTE, recipient, day: 0 })
    }
    return hosts.fresh[0]?.people
  }
  const people = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

  it('are counted once each, however often they click', () => {
    expect(clickedBy([...people(8), ...Array.from({ length: 50 }, () => 99)])).toBe(9)
    expect(clickedBy([...people(31), ...people(31)])).toBe(31)
  })

  it('are estimated when they are many, and no more for clicking again', () => {
    const once = clickedBy(people(1000)) ?? 0
    expect(once).toBeGreaterThan(600)
    expect(once).toBeLessThan(1600)
    expect(clickedBy([...people(1000), ...people(1000)])).toBe(once)
  })
})

describe('registrableDomain', () => {
  it.each([
    ['shop.example.com', 'example.com'],
    ['example.com', 'example.com'],
    ['a.b.example.co.uk', 'example.co.uk'],
    ['thief.github.io', 'thief.github.io'],
    ['localhost', 'localhost'],
    ['203.0.113.9', '203.0.113.9'],
    ['[2001:db8::1]', '[2001:db8::1]'],
  ])('of %s is %s', (host, domain) => {
    expect(registrableDomain(host)).toBe(domain)
  })
})

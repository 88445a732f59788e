import { describe, expect, it } from 'vitest'
import { measuresOf, pooled, type FleetFigures, type SystemFigures } from './figures.ts'

const anAttack = (attack: Partial<SystemFigures['attacks'][number]> = {}) => ({
  scenario: 'blast',
  family: 'sender' as const,
  found: true,
  named: true,
  messagesOut: 10,
  seconds: 20,
  ...attack,
})

const figures = (system: string, more: Partial<SystemFigures> = {}): SystemFigures => ({
  system,
  attacks: [anAttack()],
  lookAlikes: [{ scenario: 'deployment', paged: false }],
  falseIncidents: 1,
  falseIncidentsSettled: 0,
  keyYears: 2,
  keyYearsSettled: 1.5,
  ...more,
})

const aFleet = (seed: number, systems: readonly SystemFigures[]): FleetFigures => ({
  seed,
  keys: 4,
  events: 1000,
  seconds: 1,
  systems: [...systems],
  faults: [],
})

describe('pooled', () => {
  it('takes the fleets of each system as one: rates are of the sums, not means of rates', () => {
    const fleets = [
      aFleet(1, [figures('a'), figures('b')]),
      aFleet(2, [figures('a', { falseIncidents: 5, keyYears: 6 }), figures('b')]),
    ]
    const [a, b] = pooled(fleets).map(measuresOf)
    expect(a).toMatchObject({ attacks: 2, lookAlikes: 2, falsePerKeyYear: 0.75 })
    expect(b).toMatchObject({ attacks: 2, lookAlikes: 2, falsePerKeyYear: 0.5 })
  })
})

describe('measuresOf', () => {
  it('measures times and messages over the attacks found, and counts what was missed against the rest', () => {
    const attacks = [
      anAttack({ messagesOut: 2, seconds: 61 }),
      anAttack({ messagesOut: 8, named: false }),
      anAttack({ messagesOut: 90, scenario: 'ramp-hourly', seconds: 9000 }),
      anAttack({ messagesOut: 5000, found: false, named: false, seconds: null }),
    ]
    expect(measuresOf(figures('a', { attacks }))).toMatchObject({
      attacks: 4,
      found: 3,
      named: 2,
      messagesMedian: 8,
      messagesMost: 90,
      blasts: 3,
      blastsInTime: 1,
      blastSecondsMax: 61,
    })
  })

  it('has no median where nothing was found', () => {
    const attacks = [anAttack({ found: false, named: false, seconds: null })]
    expect(measuresOf(figures('a', { attacks }))).toMatchObject({
      messagesMedian: null,
      blastSecondsMax: null,
    })
  })
})

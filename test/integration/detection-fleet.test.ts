import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { measuresOf, type FleetFigures, type Measures } from '../../bench/detection/figures.ts'
import { ENGINE, judgeFleet } from '../../bench/detection/judge-fleet.ts'

// The short form of `npm run bench:detection`: one fleet, with bounds a little below what the engine reaches on it. The
// figures that count are those of many fleets, in bench/detection/README.md.
const SIZE = { seed: 5, keys: 12, weeks: 8, attacks: 14, lookAlikes: 12 }

describe('the engine on a labelled fleet of 12 keys over eight weeks', () => {
  let fleet: FleetFigures
  const of = (system: string): Measures => {
    const figures = fleet.systems.find((one) => one.system === system)
    if (figures === undefined) throw new Error(`${system} was not judged`)
    return measuresOf(figures)
  }
  beforeAll(() => {
    fleet = judgeFleet(SIZE)
  }, 240_000)

  beforeEach(({ onTestFailed }) => {
    // oxlint-disable-next-line no-console -- whoever reads that a bound was missed wants to know by what
    onTestFailed(() => console.error(fleet.faults.join('\n')))
  })

  it('is judged on what was asked for, each attack and look-alike of another kind', () => {
    const [first] = fleet.systems
    expect(new Set(first?.attacks.map(({ scenario }) => scenario)).size).toBe(SIZE.attacks)
    expect(new Set(first?.lookAlikes.map(({ scenario }) => scenario)).size).toBe(SIZE.lookAlikes)
    expect(fleet.events).toBeGreaterThan(100_000)
  })

  it('finds nearly every attack and names it', () => {
    expect(of(ENGINE).found).toBeGreaterThanOrEqual(13)
    expect(of(ENGINE).named).toBeGreaterThanOrEqual(13)
  })

  it('finds them before much mail is out', () => {
    expect(of(ENGINE).messagesMedian).toBeLessThanOrEqual(20)
    expect(of(ENGINE).messagesMost).toBeLessThanOrEqual(75)
    expect(of(ENGINE).blastSecondsMax).toBeLessThanOrEqual(75)
  })

  it('stays quiet about business as usual', () => {
    expect(of(ENGINE).falsePerKeyYear).toBeLessThanOrEqual(1.7)
    expect(of(ENGINE).lookAlikesPaged).toBeLessThanOrEqual(2)
  })

  it('finds more than a threshold or a band does, and is wrong far less often than a band', () => {
    const [, threshold = '', band = ''] = fleet.systems.map(({ system }) => system)
    expect(of(ENGINE).found).toBeGreaterThan(of(threshold).found + 5)
    expect(of(ENGINE).found).toBeGreaterThan(of(band).found + 3)
    expect(of(ENGINE).falsePerKeyYear).toBeLessThan(of(band).falsePerKeyYear / 10)
  })
})

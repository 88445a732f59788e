import { families } from '../../cli/backtest/labels.ts'
import { textTable } from '../../cli/backtest/text-table.ts'
import { measuresOf, pooled, type FleetFigures, type Measures, type SystemFigures } from './figures.ts'

/** A measure, what is wanted, and how it is written. */
type Row = readonly [title: string, goal: string, cell: (measures: Measures) => string]

const rows: readonly Row[] = [
  ['attacks found', '≥ 95 %', ({ found, attacks }) => share(found, attacks)],
  ['of these, named by the first three signals', '≥ 90 %', ({ named, found }) => share(named, found)],
  ['messages out before the alarm, median', '≤ 10', ({ messagesMedian }) => orNone(messagesMedian)],
  ['messages out before the alarm, 90 %', '≤ 60', ({ messagesMost }) => orNone(messagesMost)],
  ['blasts alarmed within 60 s', 'all', ({ blastsInTime, blasts }) => share(blastsInTime, blasts)],
  ['slowest alarm of a blast, s', '≤ 60', ({ blastSecondsMax }) => orNone(blastSecondsMax)],
  ['false incidents per key-year', '≤ 1', ({ falsePerKeyYear }) => falsePerKeyYear.toFixed(2)],
  [
    'the same after the first two weeks',
    '',
    ({ falsePerKeyYearSettled }) => falsePerKeyYearSettled.toFixed(2),
  ],
  ['look-alikes paged', '0', ({ lookAlikesPaged, lookAlikes }) => `${lookAlikesPaged} of ${lookAlikes}`],
]

/** One group of fleets under every system, measure by measure, and then attacks by family. */
export function groupText(title: string, fleets: readonly FleetFigures[]): string {
  const systems = pooled(fleets)
  const measures = systems.map((figures) => ({ system: figures.system, ...measuresOf(figures) }))
  const table = textTable([
    ['', 'goal', ...measures.map(({ system }) => system)],
    ...rows.map(([name, goal, cell]) => [name, goal, ...measures.map(cell)]),
  ])
  return [`${title}: ${sizeOf(fleets, systems)}`, table, familyTable(systems)].join('\n\n')
}

function sizeOf(fleets: readonly FleetFigures[], [first]: readonly SystemFigures[]): string {
  const events = fleets.reduce((sum, fleet) => sum + fleet.events, 0)
  const keys = fleets.reduce((sum, fleet) => sum + fleet.keys, 0)
  const kinds = (scenarios: readonly { readonly scenario: string }[] = []) =>
    `${scenarios.length} (of ${new Set(scenarios.map(({ scenario }) => scenario)).size} kinds)`
  return [
    `${fleets.length} fleets`,
    `${keys} keys`,
    `${(first?.keyYears ?? 0).toFixed(1)} key-years`,
    `${events.toLocaleString('en')} events`,
    `attacks ${kinds(first?.attacks)}`,
    `look-alikes ${kinds(first?.lookAlikes)}`,
  ].join(', ')
}

function familyTable(systems: readonly SystemFigures[]): string {
  const [engine] = systems
  if (engine === undefined) return ''
  const present = families.filter((family) => engine.attacks.some((attack) => attack.family === family))
  return textTable([
    ['attacks found by family', ...systems.map(({ system }) => system), 'named', 'out, median', '90 %'],
    ...present.map((family) => {
      const own = systems.map((figures) => ({
        ...measuresOf({ ...figures, attacks: figures.attacks.filter((attack) => attack.family === family) }),
      }))
      const [first] = own
      return [
        family,
        ...own.map(({ found, attacks }) => `${found} of ${attacks}`),
        first === undefined ? '' : `${first.named} of ${first.found}`,
        orNone(first?.messagesMedian ?? null),
        orNone(first?.messagesMost ?? null),
      ]
    }),
  ])
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${part} of ${whole} (${Math.round((100 * part) / whole)} %)`
}

function orNone(value: number | null): string {
  return value === null ? '–' : value.toFixed(0)
}

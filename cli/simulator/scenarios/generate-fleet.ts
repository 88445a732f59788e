import { Random } from '../random.ts'
import { attacks, lookAlikes } from './all-scenarios.ts'
import { composeFleet, describeSources, type Fleet } from './compose-fleet.ts'
import { drawFleet } from './draw-fleet.ts'
import { DAY_MS } from './local-time.ts'
import type { Scenario } from './scenario.ts'
import { shuffled } from './shuffled.ts'

export type FleetOptions = {
  readonly seed: number
  readonly keys: number
  readonly weeks: number
  /** How many, of every kind in turn; or which, by name. */
  readonly attacks: number | readonly string[]
  readonly lookAlikes: number | readonly string[]
  /** When the history begins, milliseconds since the epoch; drawn if absent, before a change of clocks in half of the cases. */
  readonly startMs?: number
}

/** Of the time, the first part is undisturbed, so that a detector can learn. */
const UNDISTURBED_SHARE = 0.6
/** Mondays, shortly after the change to winter and to summer time, and in summer; a month ends before each of them. */
const ENDS = [Date.UTC(2025, 10, 3), Date.UTC(2026, 3, 6), Date.UTC(2025, 6, 7), Date.UTC(2025, 8, 8)]

/**
 * An invented fleet with its history, attacks and what merely looks like one, labelled; everything follows from the
 * options. Opens are fewer than in life. Throws a RangeError for a scenario that does not exist.
 */
export function generateFleet(options: FleetOptions): Fleet {
  const { seed, keys, weeks } = options
  const random = new Random(seed, 11)
  const end = ENDS[Math.floor(random.next() * ENDS.length)] ?? 0
  const startMs = options.startMs ?? end - weeks * 7 * DAY_MS
  const endMs = startMs + weeks * 7 * DAY_MS
  const dealt = [
    dealScenarios(attacks, options.attacks, random),
    dealScenarios(lookAlikes, options.lookAlikes, random),
  ]
  return composeFleet({
    seed,
    rate: 1,
    own: drawFleet({ seed, keys, startMs }),
    describe: describeSources,
    startMs,
    endMs,
    judgedFromMs: startMs + UNDISTURBED_SHARE * (endMs - startMs),
    chosen: dealt.flatMap(({ chosen }) => chosen),
    spare: dealt.flatMap(({ spare }) => spare),
  })
}

/** What is asked for: by name, or every kind in turn, with spare ones for those that find no room. */
function dealScenarios(
  kinds: readonly Scenario[],
  asked: number | readonly string[],
  random: Random,
): { readonly chosen: readonly Scenario[]; readonly spare: readonly Scenario[] } {
  if (typeof asked !== 'number') return { chosen: asked.map((name) => named(kinds, name)), spare: [] }
  const rounds = Math.ceil(asked / kinds.length) + SPARE_ROUNDS
  const dealt = Array.from({ length: rounds }, () => shuffled(kinds, random)).flat()
  return { chosen: dealt.slice(0, asked), spare: dealt.slice(asked) }
}

const SPARE_ROUNDS = 2

function named(kinds: readonly Scenario[], name: string): Scenario {
  const scenario = kinds.find((kind) => kind.name === name)
  if (scenario === undefined) throw new RangeError(`there is no scenario ${name}`)
  return scenario
}

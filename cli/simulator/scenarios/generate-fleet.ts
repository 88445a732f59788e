import { configSchema, type Config } from '#shared/config/config.ts'
import { defaultAttributionRules } from '#shared/domain/attribution-rule.ts'
import { generateEvents } from '../event-stream.ts'
import type { KeyProfile } from '../key-profile.ts'
import { Random } from '../random.ts'
import { attacks, lookAlikes } from './all-scenarios.ts'
import { drawFleet } from './draw-fleet.ts'
import { inOrderOfArrival, type ArrivedEvent } from './in-order-of-arrival.ts'
import { DAY_MS } from './local-time.ts'
import { placeScenario, type PlacedScenario } from './place-scenarios.ts'
import type { Scenario } from './scenario.ts'
import { labelScenario, type ScenarioLabel } from './scenario-label.ts'
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

export type Fleet = {
  /** The fleet's own keys and whoever else sends. */
  readonly profiles: readonly KeyProfile<string>[]
  /** As it stands in a configuration file. */
  readonly configFile: FleetConfigFile
  /** The same, with everything else at its default. */
  readonly config: Config
  readonly labels: readonly ScenarioLabel[]
  /** Scenarios for which there was no room. */
  readonly unplaced: readonly string[]
  /** Keys that their owners retired before somebody used them. */
  readonly retired: readonly { readonly source: string; readonly key: string }[]
  readonly startMs: number
  readonly endMs: number
  /** Always the same events, in order of arrival. */
  readonly stream: () => Generator<ArrivedEvent, void, undefined>
}

export type FleetConfigFile = {
  readonly sources: Readonly<
    Record<string, { readonly public_keys: readonly string[]; readonly key?: string }>
  >
  readonly attribution: typeof defaultAttributionRules
}

/** Of the time, the first part is undisturbed, so that a detector can learn. */
const UNDISTURBED_SHARE = 0.6
/** Mondays, shortly after the change to winter and to summer time, and in summer; a month ends before each of them. */
const ENDS = [Date.UTC(2025, 10, 3), Date.UTC(2026, 3, 6), Date.UTC(2025, 6, 7), Date.UTC(2025, 8, 8)]
/** The example key of keywatch.example.yaml: nothing is verified in a file of events, but a source needs one. */
const PUBLIC_KEY =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=='

/**
 * An invented fleet with its history, attacks and what merely looks like one, labelled; everything follows from the
 * options. Opens are fewer than in life.
 */
export function generateFleet(options: FleetOptions): Fleet {
  const { seed, keys, weeks } = options
  const random = new Random(seed, 11)
  const end = ENDS[Math.floor(random.next() * ENDS.length)] ?? 0
  const startMs = options.startMs ?? end - weeks * 7 * DAY_MS
  const endMs = startMs + weeks * 7 * DAY_MS
  const own = drawFleet({ seed, keys, startMs })
  const placement = {
    seed,
    profiles: own,
    startMs,
    endMs,
    judgedFromMs: startMs + UNDISTURBED_SHARE * (endMs - startMs),
  }
  const placed: PlacedScenario[] = []
  const unplaced: string[] = []
  for (const { scenario, wanted } of [
    ...dealScenarios(attacks, options.attacks, random),
    ...dealScenarios(lookAlikes, options.lookAlikes, random),
  ]) {
    if (placed.filter((one) => one.scenario.kind === scenario.kind).length >= wanted) continue
    const found = placeScenario(scenario, placed.length + unplaced.length + 1, placed, placement)
    if (found === undefined) unplaced.push(scenario.name)
    else placed.push(found)
  }
  const altered = own.map((profile) =>
    placed.reduce((changed, { plan }) => plan.alter?.(changed) ?? changed, profile),
  )
  const profiles = [...altered, ...placed.flatMap(({ plan }) => plan.senders ?? [])]
  const configFile = describeSources(profiles)
  const config = configSchema.parse(configFile)
  const deliveries = placed.flatMap(({ plan }) => plan.deliveries ?? [])
  return {
    profiles,
    configFile,
    config,
    labels: placed
      .map((one) => labelScenario(one, { seed, rate: 1, profiles, config }))
      .toSorted((left, right) => left.started_at.localeCompare(right.started_at)),
    unplaced,
    retired: placed.flatMap(({ scenario, plan }) => (scenario.name === 'retired-key' ? plan.targets : [])),
    startMs,
    endMs,
    stream: () =>
      inOrderOfArrival(generateEvents({ profiles, seed, rate: 1, fromMs: startMs, toMs: endMs }), {
        seed,
        deliveries,
      }),
  }
}

/**
 * The scenarios to place, in the order of trying, and how many of them are wanted: those that are named, or every
 * kind in turn, with spare ones for those that find no room.
 */
function dealScenarios(
  kinds: readonly Scenario[],
  asked: number | readonly string[],
  random: Random,
): readonly { readonly scenario: Scenario; readonly wanted: number }[] {
  if (typeof asked !== 'number') {
    return asked.map((name) => {
      const scenario = kinds.find((kind) => kind.name === name)
      if (scenario === undefined) throw new RangeError(`there is no scenario ${name}`)
      return { scenario, wanted: asked.length }
    })
  }
  const rounds = Math.ceil(asked / kinds.length) + 2
  return Array.from({ length: rounds }, () => shuffled(kinds, random))
    .flat()
    .map((scenario) => ({ scenario, wanted: asked }))
}

function describeSources(profiles: readonly KeyProfile<string>[]): FleetConfigFile {
  const names = [...new Set(profiles.map(({ source }) => source))]
  return {
    sources: Object.fromEntries(
      names.map((name) => {
        const own = name.startsWith('own-') ? profiles.find(({ source }) => source === name) : undefined
        return [name, { public_keys: [PUBLIC_KEY], ...(own === undefined ? {} : { key: own.name }) }]
      }),
    ),
    attribution: defaultAttributionRules,
  }
}

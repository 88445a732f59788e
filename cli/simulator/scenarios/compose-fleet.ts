import { configSchema, type Config } from '#shared/config/config.ts'
import { defaultAttributionRules, type AttributionRule } from '#shared/domain/attribution-rule.ts'
import { generateEvents } from '../event-stream.ts'
import type { KeyProfile } from '../key-profile.ts'
import { inOrderOfArrival, type ArrivedEvent } from './in-order-of-arrival.ts'
import { placeScenario, type PlacedScenario } from './place-scenarios.ts'
import type { Scenario } from './scenario.ts'
import { labelScenario, type ScenarioLabel } from './scenario-label.ts'

export type CompositionOptions = {
  readonly seed: number
  /** Multiplies the volume of every habit. */
  readonly rate: number
  /** The fleet's own keys. */
  readonly own: readonly KeyProfile<string>[]
  readonly describe: (profiles: readonly KeyProfile<string>[]) => FleetConfigFile
  readonly startMs: number
  readonly endMs: number
  /** Scenarios begin here at the earliest. */
  readonly judgedFromMs: number
  /** To which keys they happen; absent: to any. */
  readonly victims?: readonly KeyProfile<string>[]
  readonly chosen: readonly Scenario[]
  /** Take the place of those of their kind that find no room. */
  readonly spare: readonly Scenario[]
}

export type Fleet = {
  /** The fleet's own keys and whoever else sends. */
  readonly profiles: readonly KeyProfile<string>[]
  /** As it stands in a configuration file: sources and attribution only. */
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
  readonly attribution: readonly AttributionRule[]
}

/** A fleet with scenarios placed in it at random times, labelled. */
export function composeFleet(options: CompositionOptions): Fleet {
  const { seed, rate, own, startMs, endMs } = options
  const { placed, unplaced } = placeAll(options)
  const altered = own.map((profile) =>
    placed.reduce((changed, { plan }) => plan.alter?.(changed) ?? changed, profile),
  )
  const profiles = [...altered, ...placed.flatMap(({ plan }) => plan.senders ?? [])]
  const configFile = options.describe(profiles)
  const config = configSchema.parse(configFile)
  const deliveries = placed.flatMap(({ plan }) => plan.deliveries ?? [])
  return {
    profiles,
    configFile,
    config,
    labels: placed
      .map((one) => labelScenario(one, { seed, rate, profiles, config }))
      .toSorted((left, right) => left.started_at.localeCompare(right.started_at)),
    unplaced,
    retired: placed.flatMap(({ scenario, plan }) => (scenario.name === 'retired-key' ? plan.targets : [])),
    startMs,
    endMs,
    stream: () =>
      inOrderOfArrival(generateEvents({ profiles, seed, rate, fromMs: startMs, toMs: endMs }), {
        seed,
        deliveries,
      }),
  }
}

function placeAll(options: CompositionOptions) {
  const { own: profiles, chosen, spare, ...placement } = options
  const placed: PlacedScenario[] = []
  const unplaced: string[] = []
  // What concerns many keys needs the most room, so it comes first, and what stands in for others last.
  const wide = chosen.filter((scenario) => scenario.wide === true)
  const narrow = chosen.filter((scenario) => scenario.wide !== true)
  for (const scenario of [...wide, ...narrow, ...spare]) {
    const wanted = chosen.filter(({ kind }) => kind === scenario.kind).length
    if (placed.filter((one) => one.scenario.kind === scenario.kind).length >= wanted) continue
    const number = placed.length + unplaced.length + 1
    const found = placeScenario(scenario, number, placed, { ...placement, profiles })
    if (found === undefined) unplaced.push(scenario.name)
    else placed.push(found)
  }
  return { placed, unplaced }
}

/** The example key of keywatch.example.yaml: nothing is verified in a file of events, but a source needs one. */
export const EXAMPLE_PUBLIC_KEY =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=='

/** The sources of a drawn fleet: those of one key each are called `own-…`. */
export function describeSources(profiles: readonly KeyProfile<string>[]): FleetConfigFile {
  const names = [...new Set(profiles.map(({ source }) => source))]
  return {
    sources: Object.fromEntries(
      names.map((name) => {
        const own = name.startsWith('own-') ? profiles.find(({ source }) => source === name) : undefined
        return [name, { public_keys: [EXAMPLE_PUBLIC_KEY], ...(own === undefined ? {} : { key: own.name }) }]
      }),
    ),
    attribution: defaultAttributionRules,
  }
}

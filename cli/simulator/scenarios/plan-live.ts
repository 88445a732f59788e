import { configSchema } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import type { AttackPlan } from '../attack.ts'
import { defaultFleet } from '../fleet.ts'
import type { KeyProfile } from '../key-profile.ts'
import { defaultFleetConfig, scenariosNamed, victimsNamed } from './default-fleet.ts'
import { DAY_MS, MINUTE_MS } from './local-time.ts'
import { placeScenario, type PlacedScenario } from './place-scenarios.ts'
import { placeTheft } from './place-theft.ts'
import type { Delivery } from './scenario.ts'
import { labelScenario, type ScenarioLabel } from './scenario-label.ts'

export type LiveScenarios = {
  /** The default fleet and whoever else sends. */
  readonly profiles: readonly KeyProfile<string>[]
  readonly labels: readonly ScenarioLabel[]
  /** Sources whose events are not posted meanwhile. */
  readonly silenced: readonly Delivery[]
}

export type LiveScenarioRequest = {
  readonly seed: number
  readonly rate: number
  /** When live traffic begins. */
  readonly startMs: number
  readonly theft: AttackPlan | undefined
  readonly scenarios:
    | { readonly names: readonly string[]; readonly key: string | undefined; readonly afterMs: number }
    | undefined
}

/** One after the other, so that each can be seen. */
const BETWEEN_MS = 2 * MINUTE_MS
/** Past and future that a plan may count on. */
const PAST_MS = 60 * DAY_MS
const FUTURE_MS = 60 * DAY_MS

/**
 * What happens to the default fleet's live traffic: a theft, scenarios, both or neither. Throws the AppError
 * `CONFIG_INVALID` for a scenario that cannot be live, because it changes the past or how SendGrid delivers.
 */
export function planLive(request: LiveScenarioRequest): LiveScenarios {
  const { theft, scenarios, seed, rate } = request
  const placed = [
    ...(theft === undefined ? [] : [placeTheft(defaultFleet, theft)]),
    ...(scenarios === undefined ? [] : placeNow(request, scenarios)),
  ]
  const altered = defaultFleet.map((profile) =>
    placed.reduce<KeyProfile<string>>((changed, { plan }) => plan.alter?.(changed) ?? changed, profile),
  )
  const profiles = [...altered, ...placed.flatMap(({ plan }) => plan.senders ?? [])]
  const config = configSchema.parse(defaultFleetConfig)
  return {
    profiles,
    labels: placed.map((one) => labelScenario(one, { seed, rate, profiles, config })),
    silenced: placed.flatMap(({ plan }) => plan.deliveries ?? []),
  }
}

function placeNow(
  request: LiveScenarioRequest,
  { names, key, afterMs }: NonNullable<LiveScenarioRequest['scenarios']>,
): PlacedScenario[] {
  const { seed, startMs } = request
  const placed: PlacedScenario[] = []
  for (const [number, scenario] of scenariosNamed(names).entries()) {
    const found = placeScenario(scenario, number, placed, {
      seed,
      profiles: defaultFleet,
      victims: victimsNamed(key),
      startMs: startMs - PAST_MS,
      endMs: startMs + FUTURE_MS,
      judgedFromMs: startMs + afterMs + number * BETWEEN_MS,
      beginWithinMs: 1,
    })
    if (found === undefined) throw refused(scenario.name, 'no key of the fleet is free for it')
    const { occupies, deliveries = [] } = found.plan
    if (occupies !== undefined && occupies.fromMs < startMs)
      throw refused(scenario.name, 'it changes the past')
    if (deliveries.some(({ kind }) => kind !== 'silenced'))
      throw refused(scenario.name, 'it is about redeliveries')
    placed.push(found)
  }
  return placed
}

function refused(name: string, why: string): AppError {
  return new AppError(
    'CONFIG_INVALID',
    `The scenario ${name} cannot be live: ${why}. Write it into a file with --events-out.`,
    { retriable: false },
  )
}

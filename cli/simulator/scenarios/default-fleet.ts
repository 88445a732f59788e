import { AppError } from '#shared/runtime/app-error.ts'
import { defaultAttributionRules } from '#shared/domain/attribution-rule.ts'
import { victimOf } from '../attack.ts'
import { defaultFleet } from '../fleet.ts'
import { BILLING_KEY } from '../sources.ts'
import { allScenarios } from './all-scenarios.ts'
import { composeFleet, EXAMPLE_PUBLIC_KEY, type Fleet, type FleetConfigFile } from './compose-fleet.ts'
import { DAY_MS } from './local-time.ts'
import type { Scenario } from './scenario.ts'

/** Sources and attribution of the simulated organisation, for a file of its events. */
export const defaultFleetConfig: FleetConfigFile = {
  sources: {
    main: { public_keys: [EXAMPLE_PUBLIC_KEY] },
    billing: { public_keys: [EXAMPLE_PUBLIC_KEY], key: BILLING_KEY },
    marketing: { public_keys: [EXAMPLE_PUBLIC_KEY] },
  },
  attribution: defaultAttributionRules,
}

/** Scenarios by name. Throws the AppError `CONFIG_INVALID`, which names those that there are. */
export function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  return names.map((name) => {
    const scenario = allScenarios.find((one) => one.name === name)
    if (scenario !== undefined) return scenario
    throw new AppError(
      'CONFIG_INVALID',
      `There is no scenario ${name}; keywatch simulate --list-scenarios names them all.`,
      { retriable: false },
    )
  })
}

/** The keys to which a scenario may happen: the named one, or all. */
export const victimsNamed = (key: string | undefined) =>
  key === undefined ? defaultFleet : [victimOf(defaultFleet, key)]

/** From this length on, a range begins with undisturbed time to learn from. */
const LONG_RANGE_MS = 7 * DAY_MS
const UNDISTURBED_SHARE = 0.6

/**
 * A range of the default fleet's time with scenarios at a spread of times in it: in the last 40 % of a week or more,
 * else from `afterMs` on. Throws the AppError `CONFIG_INVALID` where there is no room for one of them.
 */
export function defaultFleetWith(options: {
  readonly scenarios: readonly string[]
  readonly key: string | undefined
  readonly seed: number
  readonly rate: number
  readonly fromMs: number
  readonly toMs: number
  readonly afterMs: number
}): Fleet {
  const { scenarios, key, fromMs, toMs, afterMs, ...stream } = options
  const lengthMs = toMs - fromMs
  const fleet = composeFleet({
    ...stream,
    own: defaultFleet,
    describe: () => defaultFleetConfig,
    startMs: fromMs,
    endMs: toMs,
    judgedFromMs: fromMs + (lengthMs >= LONG_RANGE_MS ? UNDISTURBED_SHARE * lengthMs : afterMs),
    victims: victimsNamed(key),
    chosen: scenariosNamed(scenarios),
    spare: [],
  })
  if (fleet.unplaced.length === 0) return fleet
  throw new AppError(
    'CONFIG_INVALID',
    `There is no room, or no such key, for ${fleet.unplaced.join(', ')}: ask for a longer range, fewer scenarios at once or another key.`,
    { retriable: false },
  )
}

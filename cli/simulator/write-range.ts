import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { victimOf } from './attack.ts'
import { generateEvents } from './event-stream.ts'
import { defaultFleet } from './fleet.ts'
import { appendLabels } from './label-file.ts'
import { attacks, lookAlikes } from './scenarios/all-scenarios.ts'
import type { Fleet } from './scenarios/compose-fleet.ts'
import { defaultFleetConfig, defaultFleetWith } from './scenarios/default-fleet.ts'
import { generateFleet } from './scenarios/generate-fleet.ts'
import type { ArrivedEvent } from './scenarios/in-order-of-arrival.ts'
import { DAY_MS } from './scenarios/local-time.ts'
import { planLive } from './scenarios/plan-live.ts'
import type { SimulateOptions } from './simulate-options.ts'
import { arriveAsUsual, writeEventsFile } from './write-events-file.ts'

export type WrittenRange = {
  readonly events: number
  /** Scenarios for which there was no room. */
  readonly unplaced: readonly string[]
}

type Range = Pick<Fleet, 'configFile' | 'labels' | 'unplaced'> & { readonly events: Iterable<ArrivedEvent> }

/**
 * Writes a range of simulated time into `file`, its labels and its configuration into files of their own where they
 * are asked for.
 *
 * The range is the default fleet's, with a theft or scenarios, or that of a fleet drawn for the seed. Throws the
 * AppError `CONFIG_INVALID` for scenarios that find no room.
 */
export async function writeRange(
  file: string,
  options: SimulateOptions,
  nowMs: number,
): Promise<WrittenRange> {
  const { events, labels, configFile, unplaced } = rangeOf(options, options.untilMs ?? Math.floor(nowMs))
  if (options.labels !== undefined) await appendLabels(options.labels, labels)
  if (options.configOut !== undefined) await writeFile(options.configOut, stringify(configFile))
  return { events: await writeEventsFile(file, events), unplaced }
}

function rangeOf(options: SimulateOptions, toMs: number): Range {
  const { seed, rate, scenarios, fleet, attack: request } = options
  if (fleet !== undefined) return rangeOfFleet(options, fleet)
  const fromMs = toMs - (options.history ?? 0)
  if (scenarios !== undefined) {
    const { names, key, afterMs } = scenarios
    const made = defaultFleetWith({ scenarios: names, key, afterMs, seed, rate, fromMs, toMs })
    return { ...made, events: made.stream() }
  }
  const theft =
    request === undefined
      ? undefined
      : { ...request, key: victimOf(defaultFleet, request.key).name, fromMs: fromMs + request.afterMs }
  const { profiles, labels } = planLive({ seed, rate, startMs: fromMs, theft, scenarios: undefined })
  return {
    events: arriveAsUsual(generateEvents({ profiles, seed, rate, fromMs, toMs })),
    labels,
    configFile: defaultFleetConfig,
    unplaced: [],
  }
}

/** For each of a fleet's keys, unless a number is given; a small fleet gets some all the same. */
const ATTACKS_PER_KEY = 0.35
const ATTACKS_MIN = 9
const LOOK_ALIKES_PER_KEY = 0.32
const LOOK_ALIKES_MIN = 8

function rangeOfFleet(options: SimulateOptions, fleet: NonNullable<SimulateOptions['fleet']>): Range {
  const { seed, scenarios, untilMs } = options
  const { keys, weeks } = fleet
  const named = (kinds: readonly { readonly name: string }[]) =>
    scenarios?.names.filter((name) => kinds.some((kind) => kind.name === name))
  const made = generateFleet({
    seed,
    keys,
    weeks,
    attacks: fleet.attacks ?? named(attacks) ?? Math.max(ATTACKS_MIN, Math.round(ATTACKS_PER_KEY * keys)),
    lookAlikes:
      fleet.lookAlikes ??
      named(lookAlikes) ??
      Math.max(LOOK_ALIKES_MIN, Math.round(LOOK_ALIKES_PER_KEY * keys)),
    ...(untilMs === undefined ? {} : { startMs: untilMs - weeks * 7 * DAY_MS }),
  })
  return { ...made, events: made.stream() }
}

import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'
import { attackNames, DEFAULT_VICTIM } from './attack.ts'
import { defaultFleet } from './fleet.ts'
import { allScenarios } from './scenarios/all-scenarios.ts'

const SECOND_MS = 1000
const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const
const HISTORY_DAYS_MAX = 400
const FLEET_KEYS_MAX = 450
const FLEET_WEEKS_MAX = 52

/** A number as text; the empty text is no number. */
const number = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'must be a number')
  .transform(Number)

/** `28d`, `12h` or `90m`, as milliseconds. */
const duration = z
  .string()
  .regex(/^\d+[dhm]$/, 'must be a whole number of days, hours or minutes: 28d, 12h, 90m')
  .transform((text) => {
    const unit = z.enum(['d', 'h', 'm']).parse(text.at(-1))
    return Number(text.slice(0, -1)) * UNITS_MS[unit]
  })
  .refine((ms) => ms > 0, 'must be longer than nothing')
  .refine((ms) => ms <= HISTORY_DAYS_MAX * UNITS_MS.d, `must be at most ${HISTORY_DAYS_MAX}d`)

const keyName = z.string().refine((name) => defaultFleet.some((profile) => profile.name === name), {
  error: `is not a key of the fleet; choose one of ${defaultFleet.map(({ name }) => name).join(', ')}`,
})

const text = z.string().min(1)
const count = (maximum: number) => number.pipe(z.int().max(maximum))

/** `blast,deployment`, each the name of a scenario. */
const scenarioNames = z
  .string()
  .transform((names) => names.split(',').map((name) => name.trim()))
  .refine((names) => names.every((name) => allScenarios.some((scenario) => scenario.name === name)), {
    error: 'names no scenario; keywatch simulate --list-scenarios prints them all',
  })

const schema = z
  .object({
    ingest: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
    live: z.boolean().default(true),
    seed: number.pipe(z.int().max(Number.MAX_SAFE_INTEGER)).default(1),
    rate: number.pipe(z.number().positive().max(1000)).default(1),
    history: duration.optional(),
    attack: z.enum(attackNames).optional(),
    attackKey: keyName.optional(),
    attackAfter: number.pipe(z.number().max(HISTORY_DAYS_MAX * 86_400)).default(60),
    attackDuration: number.pipe(z.number().positive().max(86_400)).default(300),
    scenario: scenarioNames.optional(),
    fleet: count(FLEET_KEYS_MAX).pipe(z.number().positive()).optional(),
    weeks: count(FLEET_WEEKS_MAX).pipe(z.number().min(2)).optional(),
    attacks: count(1000).optional(),
    lookAlikes: count(1000).optional(),
    labels: text.optional(),
    eventsOut: text.optional(),
    configOut: text.optional(),
    until: z.iso.datetime({ offset: true, error: 'must be a time like 2026-03-01T00:00:00Z' }).optional(),
    json: z.boolean().default(false),
  })
  .superRefine((options, context) => {
    const refuse = (option: string, message: string) =>
      context.addIssue({ code: 'custom', path: [option], message })
    const { eventsOut, fleet, history, attack, scenario } = options
    const given = (names: readonly (keyof typeof options)[]) =>
      names.filter((name) => options[name] !== undefined)
    if (eventsOut !== undefined && history === undefined && fleet === undefined) {
      refuse('history', 'is needed with --events-out: how long a range to write')
    }
    if (options.until !== undefined && eventsOut === undefined) {
      refuse('until', 'is for --events-out: history in the warehouse always ends now')
    }
    if (
      options.labels !== undefined &&
      attack === undefined &&
      scenario === undefined &&
      fleet === undefined
    ) {
      refuse('labels', 'needs --attack, --scenario or --fleet: there is nothing to label')
    }
    if (options.configOut !== undefined && eventsOut === undefined) {
      refuse('config-out', 'is for --events-out: what a backtest of that file needs')
    }
    if (attack !== undefined && scenario !== undefined) {
      refuse('attack', `and --scenario exclude each other: add ${attack} to the scenarios`)
    }
    if (fleet === undefined) {
      for (const name of given(['weeks', 'attacks', 'lookAlikes'])) refuse(name, 'is for --fleet')
    } else {
      if (eventsOut === undefined) refuse('fleet', 'is for --events-out: its webhooks exist in a file only')
      for (const name of given(['history', 'attack', 'attackKey']))
        refuse(name, 'is for the default fleet, not --fleet')
    }
    if (!options.live && options.history === undefined) {
      refuse('no-live', 'leaves nothing to do without --history')
    }
  })
  .transform(({ attack, attackKey, attackAfter, attackDuration, until, scenario, fleet, ...options }) => {
    const { weeks, attacks, lookAlikes, ...others } = options
    const afterMs = Math.round(attackAfter * SECOND_MS)
    return {
      ...others,
      untilMs: until === undefined ? undefined : Date.parse(until),
      attack:
        attack === undefined
          ? undefined
          : {
              attack,
              key: attackKey ?? DEFAULT_VICTIM,
              afterMs,
              durationMs: Math.round(attackDuration * SECOND_MS),
            },
      scenarios: scenario === undefined ? undefined : { names: scenario, key: attackKey, afterMs },
      fleet: fleet === undefined ? undefined : { keys: fleet, weeks: weeks ?? 8, attacks, lookAlikes },
    }
  })

export type SimulateOptions = z.output<typeof schema>

/**
 * Checks what stands on the command line (names as commander gives them, numbers still text). Throws the AppError
 * `CONFIG_INVALID`, which names every fault.
 */
export function parseSimulateOptions(raw: unknown): SimulateOptions {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `--${kebab(String(path[0]))} ${message}`)
  throw new AppError('CONFIG_INVALID', `${faults.join('\n')}\n(keywatch simulate --help says more)`, {
    retriable: false,
  })
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

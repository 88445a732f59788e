import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'

/**
 * Checks what stands on the command line (names as commander gives them). Throws the AppError `CONFIG_INVALID`, which
 * names every fault and `command`, whose help says more.
 */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  raw: unknown,
  command: string,
): z.output<Schema> {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `--${kebab(String(path[0]))} ${message}`)
  throw usageError(`${faults.join('\n')}\n(keywatch ${command} --help says more)`)
}

/** A mistake on the command line: it ends with status 2. */
export function usageError(message: string): AppError {
  return new AppError('CONFIG_INVALID', message, { retriable: false })
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/

/** `now`, a day (its midnight, UTC), or a time with its zone; as ISO 8601 UTC. `nowMs` is what `now` means. */
export function timeOption(nowMs: number) {
  return z
    .string()
    .refine(
      (text) => text === 'now' || (TIME.test(text) && !Number.isNaN(Date.parse(text))),
      'must be a time with its zone, like 2026-03-01T09:00Z or 2026-03-01T09:00+01:00, a day, or now',
    )
    .transform((text) => new Date(text === 'now' ? nowMs : Date.parse(text)).toISOString())
}

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const
const DAYS_MAX = 365

/** `7d`, `12h` or `90m`, as milliseconds; at most a year. */
export const durationOption = z
  .string()
  .regex(/^\d{1,6}[dhm]$/, 'must be a whole number of days, hours or minutes: 7d, 12h, 90m')
  .transform((text) => Number(text.slice(0, -1)) * UNITS_MS[z.enum(['d', 'h', 'm']).parse(text.at(-1))])
  .refine((ms) => ms > 0 && ms <= DAYS_MAX * UNITS_MS.d, `must be between 1m and ${DAYS_MAX}d`)

/** Digits, perhaps with `_` or `,` between them: 400_000. */
export const countOption = z
  .string()
  .regex(/^\d{1,3}([_,]?\d{3})*$|^\d+$/, 'must be a whole number')
  .transform((text) => Number(text.replaceAll(/[_,]/g, '')))
  .refine((count) => count > 0, 'must be more than nothing')

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

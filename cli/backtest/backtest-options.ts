import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'

const file = z.string().min(1, 'must name a file')
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

const schema = z
  .object({
    events: file.optional(),
    series: file.optional(),
    since: z
      .string()
      .regex(/^[1-9]\d{0,3}[dh]$/, 'must be a whole number of days or hours: 30d, 48h')
      .transform((text) => Number(text.slice(0, -1)) * (text.endsWith('d') ? DAY_MS : HOUR_MS))
      .optional(),
    config: file.optional(),
    alerts: file.optional(),
    scores: file.optional(),
    labels: file.optional(),
    knowledge: file.optional(),
    compare: file.optional(),
    html: file.optional(),
    json: z.boolean().default(false),
  })
  .superRefine((options, context) => {
    const refuse = (option: string, message: string) =>
      context.addIssue({ code: 'custom', path: [option], message })
    const inputs = [options.events, options.series, options.since].filter((given) => given !== undefined)
    if (inputs.length !== 1) refuse('events', 'is needed, or --series, or --since, and only one of them')
    if (options.series === undefined) {
      if (options.scores !== undefined) refuse('scores', 'is for --series')
      return
    }
    if (options.scores === undefined) refuse('scores', 'is needed with --series: where to write to')
    for (const name of ['alerts', 'labels', 'knowledge', 'compare', 'html'] as const) {
      if (options[name] !== undefined) refuse(name, 'is for events, not for --series')
    }
  })

export type BacktestOptions = z.output<typeof schema>

/** Checks the command line. A fault throws the AppError `CONFIG_INVALID`, which names every option at fault. */
export function parseBacktestOptions(raw: unknown): BacktestOptions {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `--${path.join('.')} ${message}`)
  throw new AppError('CONFIG_INVALID', `${faults.join('; ')}.`, { retriable: false })
}

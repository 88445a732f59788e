import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'

export const families = [
  'volume',
  'sender',
  'audience',
  'outcome',
  'key',
  'unattributed',
  'fleet',
  'source',
] as const
export type Family = (typeof families)[number]

/** What really happened: one line of a file of labels. */
const labelSchema = z.object({
  /** An attack must be found, a benign look-alike must not page. */
  kind: z.enum(['attack', 'benign']),
  scenario: z.string().min(1),
  family: z.enum(families),
  /** Signals that name it rightly. */
  signals: z.array(z.string()).default([]),
  source: z.string(),
  /** The key that really sent. */
  key: z.string(),
  /** What attribution makes of it. */
  attributed_as: z.string().optional(),
  /** Where it is about several keys: each of them. */
  targets: z
    .array(z.object({ source: z.string(), key: z.string(), attributed_as: z.string().optional() }))
    .default([]),
  started_at: z.iso.datetime({ offset: true }),
  ended_at: z.iso.datetime({ offset: true }),
  messages: z.number().int().nonnegative().default(0),
  message_ids: z.array(z.string()).default([]),
})
export type Label = z.output<typeof labelSchema>

/** Reads a file with one label a line. Throws the AppError `FILE_UNREADABLE`, which names the line at fault. */
export function readLabels(file: string): Label[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new AppError('FILE_UNREADABLE', `the labels ${file} cannot be read; check the path`, {
      cause: error,
      retriable: false,
    })
  }
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const parsed = labelSchema.safeParse(parseJson(line))
    if (parsed.success) return [parsed.data]
    throw new AppError(
      'FILE_UNREADABLE',
      `line ${index + 1} of ${file} is no label; correct it:\n${z.prettifyError(parsed.error)}`,
      { retriable: false },
    )
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

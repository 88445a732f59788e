import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'
import { simulatorDirectory } from './sources.ts'

const instant = z.number().int().nonnegative()

const positionSchema = z.object({
  v: z.literal(1),
  /** The last span that was, or was being, written straight into the warehouse. */
  history: z
    .object({
      from_ms: instant,
      until_ms: instant,
      seed: z.number(),
      rate: z.number(),
      complete: z.boolean(),
    })
    .optional(),
  /** Live traffic: every event before this one was accepted by ingest. */
  delivered_until_ms: instant.optional(),
  /** Live traffic: events from there on were never posted; those in between may have been. */
  posting_until_ms: instant.optional(),
})

/** How far the simulation has come, kept in the data directory so that a restart neither repeats nor leaves out. */
export type Position = z.output<typeof positionSchema>

const FILE = 'position.json'

/** The position as last written; `{ v: 1 }` at the first start. */
export async function readPosition(dataDirectory: string): Promise<Position> {
  const file = join(simulatorDirectory(dataDirectory), FILE)
  try {
    return positionSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { v: 1 }
    throw new AppError(
      'CONFIG_INVALID',
      `The simulator's position ${file} cannot be read; remove ${dataDirectory} to start the simulation afresh.`,
      { cause: error, retriable: false },
    )
  }
}

/** Written aside, made durable, then renamed: after a crash there is the old position or the new one. */
export async function writePosition(dataDirectory: string, position: Position): Promise<void> {
  const directory = simulatorDirectory(dataDirectory)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `${FILE}.draft`)
  const handle = await open(draft, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(position)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, join(directory, FILE))
}

export type Span = { readonly fromMs: number; readonly untilMs: number }

/**
 * What is to be written straight into the warehouse so that it holds the last `historyMs` up to now: a load that
 * was interrupted, exactly as it was begun, then what happened since.
 */
export function missingHistory(
  position: Position,
  wish: { readonly nowMs: number; readonly historyMs: number; readonly seed: number; readonly rate: number },
): readonly (Span & { readonly seed: number; readonly rate: number })[] {
  const { nowMs, historyMs, seed, rate } = wish
  const { history } = position
  const begun =
    history === undefined || history.complete
      ? []
      : [{ fromMs: history.from_ms, untilMs: history.until_ms, seed: history.seed, rate: history.rate }]
  const knownUntilMs = Math.max(history?.until_ms ?? 0, position.posting_until_ms ?? 0)
  const fromMs = Math.max(knownUntilMs, nowMs - historyMs)
  return fromMs < nowMs ? [...begun, { fromMs, untilMs: nowMs, seed, rate }] : begun
}

/** SendGrid delivers again for a day; what is older than that is lost with it. */
const REDELIVERY_MS = 24 * 3_600_000

/**
 * What live traffic has to deliver: first what was being posted when the simulator last ended (it may have
 * arrived; ingest's duplicates are harmless), then everything that neither history nor an earlier run covered.
 * The last span has no end.
 */
export function liveSpans(position: Position, nowMs: number): readonly Span[] {
  const postingMs = position.posting_until_ms ?? 0
  const deliveredMs = position.delivered_until_ms ?? postingMs
  const knownUntilMs = Math.max(
    position.history?.complete === true ? position.history.until_ms : 0,
    postingMs,
  )
  const oldestMs = nowMs - REDELIVERY_MS
  const next: Span = {
    fromMs: knownUntilMs === 0 ? nowMs : Math.max(knownUntilMs, oldestMs),
    untilMs: Number.POSITIVE_INFINITY,
  }
  const unsureFromMs = Math.max(deliveredMs, oldestMs)
  return unsureFromMs < postingMs ? [{ fromMs: unsureFromMs, untilMs: postingMs }, next] : [next]
}

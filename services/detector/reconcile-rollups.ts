import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { CommittedPosition } from '#shared/event-log/event-log.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import {
  correctCells,
  DAY_SECONDS,
  dayTotals,
  differingCells,
  isReplicaBehind,
  restoreKeyActivity,
  rollups,
  type DayTotals,
  type DifferingCells,
} from '#shared/warehouse/rollup-store.ts'
import type { DetectorMetrics } from './metrics.ts'

export type ReconcileParts = {
  readonly client: ClickHouseClient
  readonly log: Logger
  readonly metrics: Pick<DetectorMetrics, 'rollupRepaired' | 'reconciledAt'>
  /** The detectors' positions on every partition of the event topic, whoever owns them. */
  readonly positions: () => Promise<readonly CommittedPosition[]>
  readonly rawRetentionDays: number
  readonly now: () => number
  /** Between the two looks at a cell, milliseconds: more than the time that an insert is between raw and rollups. */
  readonly settleMs: number
  /** How long to wait for the blocks that were being stored at the first look, milliseconds. */
  readonly blocksMs: number
}

/**
 * How a run ended: `done`; `deferred`, where a block or a replica that is behind was in the way; `more`, where more
 * differs than one run puts right.
 */
export type Outcome = 'done' | 'deferred' | 'more'
export type Reconciler = { readonly run: (signal: AbortSignal) => Promise<Outcome> }

/** The first days that raw still holds may expire while they are looked at. */
const RETENTION_MARGIN_DAYS = 2
/** usage_minute forgets after 400 days, which may be sooner than raw does. */
const MINUTE_RETENTION_DAYS = 400
/** Today, yesterday and what is dated ahead of today change most, so their cells are compared every time. */
const RECENT_DAYS = 2
const POLL_MS = 1000

/**
 * Compares the rollups with the raw events and puts right what differs.
 *
 * A difference is damage only if no block is between raw and rollups. That is known by looking twice. At the first
 * look every block being stored has its intent committed, so once each position that holds an intent has moved, all of
 * them are stored in full, retries of crashed ones included. A cell whose two counts are then still the very same was
 * touched by none of them, nor by any later block, for counts only grow: its difference is real. The correction is an
 * addition (see `correctCells`), so blocks stored during it change nothing, and one that comes again later is known
 * to every rollup by its token. A damaged cell that is busy at both looks waits for a later run, at the latest for the
 * end of its day.
 *
 * Where all rollups count more than the raw table, raw events are missing, and nothing is taken from the rollups: a
 * damaged part, rows deleted by hand, or a day that an earlier, shorter retention has cut. They are the better memory.
 *
 * Totals of every day are compared each time, cells where totals differ, of recent days, and of one older day in turn.
 */
export function createReconciler(parts: ReconcileParts): Reconciler {
  /** Days of which it was said that raw events are missing, with their totals then. */
  const knownLost = new Map<number, string>()
  let turn = 0

  const compare = async (fromSeconds: number, signal: AbortSignal): Promise<Outcome> => {
    const before = (await dayTotals(parts.client, fromSeconds)).filter(
      (totals) => knownLost.get(totals.day) !== JSON.stringify(totals),
    )
    turn += 1
    const candidates = await findCandidates(parts, daysToCompare(before, parts.now(), turn), signal)
    if (candidates.length === 0 && !before.some(isMoreEverywhere)) return 'done'
    if (!(await untilStored(parts, signal)) || (await isReplicaBehind(parts.client))) return 'deferred'
    const still = stillDays(before, await dayTotals(parts.client, fromSeconds))
    for (const totals of [...still.values()].filter(isMoreEverywhere)) {
      knownLost.set(totals.day, JSON.stringify(totals))
      parts.log.error(
        { ...totals, day: dayText(totals.day) },
        'all rollups count more events than the raw table: raw events are missing, nothing is taken from the rollups',
      )
    }
    return repair(parts, candidates, { still, signal })
  }

  return {
    run: async (signal) => {
      const { client, log, metrics } = parts
      if (await isReplicaBehind(client)) return 'deferred'
      const fromSeconds = firstDay(parts)
      const outcome = await compare(fromSeconds, signal)
      signal.throwIfAborted()
      const keys = await restoreKeyActivity(client, fromSeconds)
      if (keys > 0) {
        metrics.rollupRepaired.inc({ rollup: 'key_activity' }, keys)
        log.warn({ rollup: 'key_activity', keys }, 'keys had events and no activity, which was added')
      }
      if (outcome === 'done') metrics.reconciledAt.set(parts.now() / 1000)
      return outcome
    },
  }
}

/** The start of the first day that both raw and usage_minute hold for sure. */
function firstDay({ now, rawRetentionDays }: ReconcileParts): number {
  const today = Math.floor(now() / 1000 / DAY_SECONDS)
  const days = Math.min(rawRetentionDays, MINUTE_RETENTION_DAYS) - RETENTION_MARGIN_DAYS
  return Math.max(0, today - days) * DAY_SECONDS
}

function daysToCompare(totals: readonly DayTotals[], nowMs: number, turn: number): DayTotals[] {
  const recent = (Math.floor(nowMs / 1000 / DAY_SECONDS) - RECENT_DAYS + 1) * DAY_SECONDS
  const older = totals.filter(({ day }) => day < recent)
  const inTurn = older.at(turn % Math.max(1, older.length))
  return totals.filter((total) => total === inTurn || total.day >= recent || differs(total))
}

function differs(totals: DayTotals): boolean {
  return rollups.some(({ total }) => totals[total] !== totals.raw)
}

function isMoreEverywhere(totals: DayTotals): boolean {
  return rollups.every(({ total }) => totals[total] > totals.raw)
}

async function findCandidates(
  { client }: ReconcileParts,
  days: readonly DayTotals[],
  signal: AbortSignal,
): Promise<DifferingCells[]> {
  const candidates: DifferingCells[] = []
  for (const totals of days) {
    for (const rollup of rollups) {
      signal.throwIfAborted()
      const surplusToo = !isMoreEverywhere(totals)
      const found = await differingCells(client, { rollup, daySeconds: totals.day, surplusToo })
      if (found !== undefined) candidates.push(found)
    }
  }
  return candidates
}

/** Waits until every block that is being stored now is stored; false if one still is not after `blocksMs`. */
async function untilStored(parts: ReconcileParts, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + parts.settleMs + parts.blocksMs
  const pending = new Map(
    (await parts.positions()).flatMap(({ offset, metadata }, partition) =>
      metadata === '' ? [] : [[partition, offset] as const],
    ),
  )
  await wait(parts.settleMs, undefined, { signal })
  for (;;) {
    for (const [partition, { offset, metadata }] of (await parts.positions()).entries()) {
      if (metadata === '' || offset !== pending.get(partition)) pending.delete(partition)
    }
    if (pending.size === 0) return true
    if (performance.now() >= deadline) {
      parts.log.info(
        { partitions: [...pending.keys()] },
        'the rollups cannot be judged: a block is still unfinished',
      )
      return false
    }
    await wait(POLL_MS, undefined, { signal })
  }
}

/** Days on which nothing at all was stored between the two looks. */
function stillDays(before: readonly DayTotals[], after: readonly DayTotals[]): Map<number, DayTotals> {
  const earlier = new Map(before.map((totals) => [totals.day, JSON.stringify(totals)]))
  return new Map(
    after.flatMap((totals) =>
      earlier.get(totals.day) === JSON.stringify(totals) ? [[totals.day, totals] as const] : [],
    ),
  )
}

async function repair(
  { client, log, metrics }: ReconcileParts,
  candidates: readonly DifferingCells[],
  given: { readonly still: ReadonlyMap<number, DayTotals>; readonly signal: AbortSignal },
): Promise<Outcome> {
  let outcome: Outcome = 'done'
  for (const found of candidates) {
    given.signal.throwIfAborted()
    // Whether raw events are missing can be told only of a day that stands still.
    const totals = given.still.get(found.daySeconds)
    const corrected = await correctCells(client, found, totals !== undefined && !isMoreEverywhere(totals))
    if (corrected === 0) continue
    if (found.cells > found.fingerprints.length && corrected <= found.fingerprints.length) outcome = 'more'
    metrics.rollupRepaired.inc({ rollup: found.rollup.table }, corrected)
    log.warn(
      { rollup: found.rollup.table, day: dayText(found.daySeconds), cells: corrected },
      'a rollup did not equal the raw events and was put right',
    )
  }
  return outcome
}

function dayText(daySeconds: number): string {
  return new Date(daySeconds * 1000).toISOString().slice(0, 10)
}

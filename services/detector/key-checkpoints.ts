import { setTimeout as wait } from 'node:timers/promises'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { saveKeyStates, type KeyStateRow } from '#shared/warehouse/key-state-store.ts'
import type { PendingBlock } from '#shared/warehouse/stored-events-store.ts'
import type { KeyName } from '#shared/warehouse/usage-store.ts'
import { restoreKeys } from './restore-keys.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

/** What of the engine is saved and brought back. */
export type CheckpointEngine = {
  readonly wantsKey: (source: string, key: string) => boolean
  /** Takes over a state that `saveKey` made; undefined: nothing was saved. Throws for what it cannot read. */
  readonly restoreKey: (source: string, key: string, state: string | undefined) => void
  /** The key's state as it is now; undefined where the engine does not hold the key any more. */
  readonly saveKey: (source: string, key: string) => string | undefined
  /** The keys that changed since they were saved. */
  readonly dirtyKeys: () => Iterable<KeyName>
  /** Takes in an event without a word: what it has to say was said before. */
  readonly replay: (event: EngineEvent) => void
}

/**
 * Keeps what the engine of one partition remembers in the warehouse.
 *
 * A key's state is written now and then, with the offset of the log that it reaches to. When a key is first met after
 * a start, its last state is read back and what was stored since is given to the engine again. So a state is never
 * wrong, only more or less old: losing one costs time.
 */
export type KeyCheckpoints = {
  /**
   * Before a block is given to the engine: brings back those of its keys that the engine has not met, with everything
   * that is stored of them, except for the events of `pending`. Nothing is saved from here to the next commit.
   */
  readonly restore: (
    keys: Iterable<KeyName>,
    given: { readonly nowMs: number; readonly pending?: PendingBlock | undefined },
  ) => Promise<void>
  /**
   * The engine is about to be given a block, or the time: what it then says is not known to anybody before `committed`
   * or `settled`, so no state may be saved until then.
   */
  readonly feeding: () => void
  /**
   * Everything up to `logOffset` has been given to the engine, and committed. Encodes a few states when it is time, and
   * writes them in the background.
   */
  readonly committed: (fed: {
    readonly logOffset: number
    readonly events: number
    /** The latest arrival among them, milliseconds; 0 for none. */
    readonly arrivedUntilMs: number
  }) => void
  /** What the engine said when it was given the time is published. Goes on with what `committed` began. */
  readonly settled: () => void
  /** Writes what has changed, as far as that is possible in a few seconds; never rejects. */
  readonly stop: () => Promise<void>
}

export type CheckpointOptions = {
  readonly partition: number
  /** States of another version are not read. */
  readonly engineVersion: string
  readonly now?: () => number
  /** States are written this often, or after so many events. */
  readonly intervalMs?: number
  readonly intervalEvents?: number
  /** But not more often than this: while a backlog is caught up, events are no measure of time. */
  readonly intervalMinMs?: number
}

const INTERVAL_MS = 5 * 60_000
const INTERVAL_EVENTS = 50_000
const INTERVAL_MIN_MS = 60_000
/** States encoded between two blocks, and how long that may hold up the next one. A state takes about 0.1 ms. */
const KEYS_PER_SLICE = 250
const ENCODE_MS = 40
/** Below the time that a service has for stopping; what is not written then is replayed. */
const STOP_MS = 3000

type Position = { readonly logOffset: number; readonly arrivedUntilMs: number }

type Saver = {
  readonly engine: CheckpointEngine
  readonly context: StoreContext
  readonly options: CheckpointOptions
  readonly now: () => number
  /** The last commit; undefined before the first one. */
  reached: Position | undefined
  /** The engine holds, or has said, what is not committed and published. */
  isAhead: boolean
  /** The latest arrival of all that the engine holds. */
  arrivedUntilMs: number
  events: number
  roundAtMs: number
  /** Keys of this round that are still to be saved, last one first. */
  queue: KeyName[]
  inFlight: Promise<void> | undefined
  failure: { readonly error: unknown } | undefined
}

export function createKeyCheckpoints(
  engine: CheckpointEngine,
  context: StoreContext,
  options: CheckpointOptions,
): KeyCheckpoints {
  const now = options.now ?? Date.now
  const saver: Saver = {
    engine,
    context,
    options,
    now,
    reached: undefined,
    isAhead: true,
    arrivedUntilMs: 0,
    events: 0,
    roundAtMs: now(),
    queue: [],
    inFlight: undefined,
    failure: undefined,
  }
  return {
    restore: async (keys, given) => {
      // A key that is half restored must not be saved, whatever ends the restoring.
      saver.isAhead = true
      const arrivedUntilMs = await restoreKeys(keys, { ...given, engine, context, options })
      saver.arrivedUntilMs = Math.max(saver.arrivedUntilMs, arrivedUntilMs)
    },
    feeding: () => {
      saver.isAhead = true
    },
    committed: ({ logOffset, events, arrivedUntilMs }) => {
      saver.arrivedUntilMs = Math.max(saver.arrivedUntilMs, arrivedUntilMs)
      saver.events += events
      // A group that has read nothing yet is before the first offset: there is nothing to save either.
      if (logOffset >= 0) saver.reached = { logOffset, arrivedUntilMs: saver.arrivedUntilMs }
      saver.isAhead = false
      saveSome(saver)
    },
    settled: () => {
      saver.isAhead = false
      saveSome(saver)
    },
    stop: () => saveAll(saver),
  }
}

/** Saves the next few keys of a round; begins a round when it is time. What failed in the background is thrown here. */
function saveSome(saver: Saver): void {
  if (saver.failure !== undefined) throw saver.failure.error
  const { reached } = saver
  if (reached === undefined || saver.isAhead || saver.inFlight !== undefined) return
  if (saver.queue.length === 0 && isDue(saver)) beginRound(saver)
  const rows = encodeSlice(saver, reached)
  if (rows.length === 0) return
  const writtenAtMs = saver.now()
  saver.inFlight = untilDone('save states', () => save(saver, rows, writtenAtMs), saver.context)
    .catch((error: unknown) => {
      // Whoever owns the partition now has older states, and replays more.
      if (!(error instanceof AppError && error.code === 'PARTITION_LOST')) saver.failure = { error }
    })
    .finally(() => {
      saver.inFlight = undefined
    })
}

function isDue({ now, roundAtMs, events, options }: Saver): boolean {
  const {
    intervalMs = INTERVAL_MS,
    intervalEvents = INTERVAL_EVENTS,
    intervalMinMs = INTERVAL_MIN_MS,
  } = options
  const passedMs = now() - roundAtMs
  return passedMs >= intervalMs || (events >= intervalEvents && passedMs >= intervalMinMs)
}

function beginRound(saver: Saver): void {
  saver.roundAtMs = saver.now()
  saver.events = 0
  // Names only: a round takes a while, and what the engine hands out may be its own.
  saver.queue = Array.from(saver.engine.dirtyKeys(), ({ source, key }) => ({ source, key }))
}

/** Every slice has its own offset: that of the last commit before it, which is where the engine is. */
function encodeSlice(saver: Saver, position: Position): KeyStateRow[] {
  const rows: KeyStateRow[] = []
  const deadline = performance.now() + ENCODE_MS
  while (rows.length < KEYS_PER_SLICE) {
    const named = saver.queue.pop()
    if (named === undefined) break
    const state = saver.engine.saveKey(named.source, named.key)
    if (state !== undefined) {
      rows.push({ ...named, ...position, partition: saver.options.partition, state })
    }
    if (performance.now() >= deadline) break
  }
  return rows
}

async function save(saver: Saver, rows: readonly KeyStateRow[], writtenAtMs: number): Promise<void> {
  const { context, options } = saver
  await saveKeyStates(context.client, rows, { engineVersion: options.engineVersion, writtenAtMs })
  context.metrics.statesSaved.inc(rows.length)
}

/**
 * Also once the partition is lost: a state is right for whoever reads it, and the new owner's are written later. In the
 * middle of a block the engine is ahead of the log, so nothing is saved then.
 */
async function saveAll(saver: Saver): Promise<void> {
  const { context, reached } = saver
  const deadline = performance.now() + STOP_MS
  try {
    await saver.inFlight
    if (reached === undefined || saver.isAhead || saver.failure !== undefined) return
    beginRound(saver)
    while (saver.queue.length > 0 && performance.now() < deadline) {
      const rows = encodeSlice(saver, reached)
      await within(deadline - performance.now(), save(saver, rows, saver.now()))
    }
    if (saver.queue.length > 0) {
      context.log.info({ keys: saver.queue.length }, 'no time to save every state: events will be replayed')
    }
  } catch {
    context.log.warn('states could not be saved at the stop: events will be replayed')
  }
}

/** The work's end, or a rejection after so long: a warehouse that hangs must not hold up a stop. */
async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const done = new AbortController()
  work.catch(() => undefined)
  try {
    await Promise.race([
      work,
      wait(Math.max(0, timeoutMs), undefined, { signal: done.signal }).then(() => {
        throw new Error('no answer in time')
      }),
    ])
  } finally {
    done.abort()
  }
}

import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { loadKeyStates } from '#shared/warehouse/key-state-store.ts'
import { inGroups } from '#shared/warehouse/statement-value.ts'
import {
  eventsSince,
  pastEvents,
  type HeldKey,
  type PendingBlock,
} from '#shared/warehouse/stored-events-store.ts'
import { keyText, type KeyName } from '#shared/warehouse/usage-store.ts'
import type { CheckpointEngine, CheckpointOptions } from './key-checkpoints.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

/** Keys whose states are in memory as text at a time. */
const KEYS_PER_GROUP = 1000
/** Without a state a key is learnt from this much of its past: a month-end has been seen once. */
const PAST_SECONDS = 35 * 24 * 3600
/** And from about so many events at most: a second or two of work. */
const PAST_EVENTS_MAX = 200_000

type Restoring = {
  readonly engine: CheckpointEngine
  readonly context: StoreContext
  readonly options: CheckpointOptions
  readonly nowMs: number
  readonly pending?: PendingBlock | undefined
}

/**
 * Brings back the keys that the engine has not met, as far as it wants them; resolves with the latest arrival
 * (milliseconds) among everything that they hold.
 */
export async function restoreKeys(keys: Iterable<KeyName>, restoring: Restoring): Promise<number> {
  const { engine, context } = restoring
  const missing = new Map<string, KeyName>()
  for (const { source, key } of keys) {
    if (engine.wantsKey(source, key)) missing.set(keyText({ source, key }), { source, key })
  }
  let arrivedUntilMs = 0
  for (const group of inGroups([...missing.values()], KEYS_PER_GROUP)) {
    const { held, unknown } = await restoreStates(group, restoring)
    for (const { checkpoint } of held) arrivedUntilMs = Math.max(arrivedUntilMs, checkpoint.arrivedUntilMs)
    const past = {
      fromSeconds: Math.floor(restoring.nowMs / 1000) - PAST_SECONDS,
      eventsPerKeyMax: PAST_EVENTS_MAX,
      pending: restoring.pending,
    }
    for (const read of [
      () => eventsSince(context.client, held, restoring.pending),
      () => pastEvents(context.client, unknown, past),
    ]) {
      arrivedUntilMs = Math.max(arrivedUntilMs, await replayAll(read, restoring))
    }
  }
  return arrivedUntilMs
}

/** Gives the engine the last states; answers which keys have one, and which have to be learnt from their past. */
async function restoreStates(
  group: readonly KeyName[],
  { engine, context, options }: Restoring,
): Promise<{ readonly held: HeldKey[]; readonly unknown: KeyName[] }> {
  const states = await untilDone(
    'load states',
    () => loadKeyStates(context.client, group, options.engineVersion),
    context,
  )
  const held: HeldKey[] = []
  const unknown: KeyName[] = []
  for (const named of group) {
    const { source, key } = named
    // Those before it may have taken the last place.
    if (!engine.wantsKey(source, key)) continue
    const saved = states.get(keyText(named))
    if (saved !== undefined && isReadable(() => engine.restoreKey(source, key, saved.state))) {
      const { partition, logOffset, arrivedUntilMs } = saved
      held.push({ source, key, checkpoint: { partition, logOffset, arrivedUntilMs } })
      continue
    }
    if (saved !== undefined) {
      context.log.warn(
        { source, engineVersion: options.engineVersion },
        'a state cannot be read: learning anew',
      )
    }
    engine.restoreKey(source, key, undefined)
    unknown.push(named)
  }
  return { held, unknown }
}

function isReadable(restore: () => void): boolean {
  try {
    restore()
    return true
  } catch {
    return false
  }
}

/**
 * Gives the engine all of these events, each once: when the reading breaks off and is tried again, what it has had of a
 * key is left out. A key's events come in the same order every time. Resolves with the latest arrival among them.
 */
async function replayAll(
  read: () => AsyncIterable<readonly EngineEvent[]>,
  { engine, context }: Restoring,
): Promise<number> {
  const given = new Map<string, number>()
  let arrivedUntilMs = 0
  await untilDone(
    'replay',
    async () => {
      const seen = new Map<string, number>()
      for await (const piece of read()) {
        for (const run of runsOfKeys(piece)) {
          const name = keyText(run[0])
          const before = seen.get(name) ?? 0
          const had = given.get(name) ?? 0
          for (const event of run.slice(Math.max(0, had - before))) {
            engine.replay(event)
            arrivedUntilMs = Math.max(arrivedUntilMs, event.receivedAtMs)
          }
          seen.set(name, before + run.length)
          given.set(name, Math.max(had, before + run.length))
        }
        context.metrics.eventsReplayed.inc(piece.length)
      }
    },
    context,
  )
  return arrivedUntilMs
}

/** Events of one key that follow one another, together. */
function* runsOfKeys(
  events: readonly EngineEvent[],
): Generator<readonly [EngineEvent, ...EngineEvent[]], void, void> {
  let run: [EngineEvent, ...EngineEvent[]] | undefined
  for (const event of events) {
    if (run !== undefined && run[0].key === event.key && run[0].source === event.source) {
      run.push(event)
      continue
    }
    if (run !== undefined) yield run
    run = [event]
  }
  if (run !== undefined) yield run
}

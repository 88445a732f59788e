import type { Config } from '#shared/config/config.ts'
import { detectionSettingsOf, keySettingsOf } from '#shared/config/detection-settings-of.ts'
import { createDetectionEngine, type DetectionEngine } from '#shared/detection/detection-engine.ts'
import { KEY_STATE_VERSION } from '#shared/detection/key-codec.ts'
import type { Alert } from '#shared/domain/alert.ts'
import type { Block } from './block.ts'
import { toEngineEvent } from './decode-records.ts'
import { createKeyCheckpoints, type KeyCheckpoints } from './key-checkpoints.ts'
import { createKnowledgeReader, type KnowledgeReader } from './knowledge-reader.ts'
import { keysWithOpenAlerts } from './open-keys.ts'
import { untilDone } from './retry.ts'
import { createSourceLoader, type SourceLoader } from './source-loader.ts'
import type { FreshEvent, StoreContext } from './store-block.ts'

/**
 * The engine of one partition, and its memory in the warehouse.
 *
 * A key's events are all on one partition, so its engine sees all of them. Nothing is rebuilt in advance: a key is
 * brought back when it is first met, from its last saved state and what was stored since. That is right for any number
 * of partitions and members, after a rebalance as after a crash, and costs nothing for keys that do not send.
 */
export type PartitionEngine = {
  /** Brings back the keys with an open alert on this partition, so that they end without another event. */
  readonly restore: () => Promise<void>
  /**
   * Before a block is fed: brings back what the engine has not met of its keys and sources. `pending` says that the
   * block was begun before, so that some of its events may be stored; they are fed as new ones.
   */
  readonly prepare: (events: readonly FreshEvent[], pending?: Omit<Block, 'records'>) => Promise<void>
  readonly feed: (events: readonly FreshEvent[]) => Alert[]
  /** The alerts of what was fed are published, and the position is committed behind `lastOffset`. */
  readonly committed: (lastOffset: number, events: readonly FreshEvent[]) => void
  readonly tick: (nowMs: number) => Promise<Alert[]>
  /** The alerts of the last tick are published. */
  readonly settled: () => void
  /** Saves what changed since it was last saved, as far as there is time; never rejects. */
  readonly stop: () => Promise<void>
  readonly keyCount: () => number
}

type Given = { readonly partition: number; readonly liveKeysMax: number }

type Parts = {
  readonly partition: number
  readonly context: StoreContext
  readonly engine: DetectionEngine
  readonly sources: SourceLoader
  readonly knowledge: KnowledgeReader
  readonly checkpoints: KeyCheckpoints
}

export function createPartitionEngine(
  config: Pick<Config, 'detection' | 'detector'>,
  given: Given,
  context: StoreContext,
): PartitionEngine {
  let emitted: Alert[] = []
  const parts = createParts(config, { ...given, context, emit: (alert) => emitted.push(alert) })
  const { engine, checkpoints } = parts
  const takeAlerts = () => {
    const taken = emitted
    emitted = []
    return taken
  }
  return {
    restore: () => restoreOpenKeys(parts),
    prepare: (events, pending) => prepare(parts, events, pending),
    feed: (events) => {
      checkpoints.feeding()
      for (const event of events) engine.feed(toEngineEvent(event))
      return takeAlerts()
    },
    committed: (lastOffset, events) =>
      checkpoints.committed({
        logOffset: lastOffset,
        events: events.length,
        arrivedUntilMs: events.reduce((ms, { receivedAtMs }) => Math.max(ms, receivedAtMs), 0),
      }),
    tick: async (nowMs) => {
      await refresh(parts)
      engine.tick(nowMs)
      return takeAlerts()
    },
    settled: checkpoints.settled,
    stop: checkpoints.stop,
    keyCount: engine.keyCount,
  }
}

function createParts(
  config: Pick<Config, 'detection' | 'detector'>,
  given: Given & { readonly context: StoreContext; readonly emit: (alert: Alert) => void },
): Parts {
  const { partition, context } = given
  const settings = { ...detectionSettingsOf(config), liveKeysMax: given.liveKeysMax }
  const engine = createDetectionEngine(settings, given.emit, keySettingsOf(config, settings))
  const engineVersion = String(KEY_STATE_VERSION)
  return {
    partition,
    context,
    engine,
    sources: createSourceLoader(engine, context),
    knowledge: createKnowledgeReader(config, context),
    checkpoints: createKeyCheckpoints(engine, context, { partition, engineVersion }),
  }
}

/** What is read again now and then. A verdict makes the engine speak, so nothing may be saved before it is heard. */
async function refresh({ engine, sources, knowledge, checkpoints }: Parts): Promise<void> {
  const nowMs = Date.now()
  checkpoints.feeding()
  await sources.refresh(nowMs)
  const book = await knowledge.refresh(nowMs)
  if (book !== undefined) engine.setKnowledge(book)
}

async function restoreOpenKeys(parts: Parts): Promise<void> {
  const { context, partition, checkpoints } = parts
  await refresh(parts)
  const find = () => keysWithOpenAlerts(context, partition)
  const keys = await untilDone('load open alerts', find, context)
  await checkpoints.restore(keys, { nowMs: Date.now() })
}

async function prepare(
  parts: Parts,
  events: readonly FreshEvent[],
  pending: Omit<Block, 'records'> | undefined,
): Promise<void> {
  await refresh(parts)
  if (events.length === 0) return
  const arrivedFromMs = events.reduce((ms, { receivedAtMs }) => Math.min(ms, receivedAtMs), Infinity)
  await parts.checkpoints.restore(
    events.map(({ row }) => row),
    { nowMs: arrivedFromMs, pending: pending === undefined ? undefined : { ...pending, arrivedFromMs } },
  )
}

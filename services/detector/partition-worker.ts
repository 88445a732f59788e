import type { Config } from '#shared/config/config.ts'
import { defaultDetectionSettings } from '#shared/detection/detection-settings.ts'
import type { Alert } from '#shared/domain/alert.ts'
import type { AssignedPartition, LogRecord } from '#shared/event-log/event-log.ts'
import type { RecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { collectFresh, collectPending, intentOf, parseIntent, type Block } from './block.ts'
import { decodeRecord, recordsWithinDays, type DecodedRecord } from './decode-records.ts'
import { createPartitionEngine, type PartitionEngine } from './partition-engine.ts'
import { publishAlerts, type PublishContext } from './publish-alerts.ts'
import { throwIfLost, untilDone } from './retry.ts'
import { createSourceWatch, type SourceWatch } from './source-watch.ts'
import { storeBlock, type FreshEvent } from './store-block.ts'

export type WorkerOptions = {
  readonly config: Config['detector']
  /** Partitions of the topic, to share out the number of live keys. */
  readonly partitions: number
  readonly privacy: RecipientPrivacy
  readonly context: Omit<PublishContext, 'lost'>
  /** Called once everything of the past is in memory and judged. */
  readonly onReady: () => void
}

type Worker = {
  readonly partition: AssignedPartition
  readonly options: WorkerOptions
  readonly context: PublishContext
  readonly engine: PartitionEngine
  readonly sourceWatch: SourceWatch | undefined
}

/**
 * Whole sources are watched by the owner of this partition of the event topic: every topic has it, and it has one
 * owner at a time.
 */
const SOURCE_WATCH_PARTITION = 0
/** The arrival clock trails the wall clock by this much, so that what is on its way through the log is in. */
const TICK_DELAY_MS = 2000

/**
 * Handles one partition of the event topic for as long as it is owned: stores every event once, and finds misuse.
 *
 * For every block, in this order: intent, look-up, insert, alerts, commit. A crash at any point leaves either a
 * clean position, or a pending block that the next owner stores and judges again with the same outcome.
 */
export async function runPartition(partition: AssignedPartition, options: WorkerOptions): Promise<void> {
  const context: PublishContext = { ...options.context, lost: partition.lost }
  const liveKeysMax = Math.max(1, Math.floor(options.config.live_keys_max / options.partitions))
  const settings = { ...defaultDetectionSettings, liveKeysMax }
  const worker: Worker = {
    partition,
    options,
    context,
    engine: createPartitionEngine(settings, context),
    sourceWatch:
      partition.partition === SOURCE_WATCH_PARTITION ? createSourceWatch(settings, context) : undefined,
  }
  const next = await replayPending(worker)
  await worker.engine.restore(partition.partition)
  await worker.sourceWatch?.restore()
  options.onReady()
  await followLog(worker, next)
}

/** Stores a block that was begun before, and announces what it should have announced; answers where to go on. */
async function replayPending(worker: Worker): Promise<number> {
  const { partition, context } = worker
  const position = await untilDone('read position', () => partition.committed(), context)
  const lastOffset = parseIntent(position.metadata)
  if (lastOffset === undefined) return position.offset
  const bounds = { firstOffset: position.offset, lastOffset }
  context.log.info({ partition: partition.partition, ...bounds }, 'storing an unfinished block again')
  const records = await untilDone(
    'read pending',
    () => collectPending(partition, bounds, context.log),
    context,
  )
  const block = { partition: partition.partition, ...bounds, records }
  const decoded = records.map((record) => decodeRecord(record, block.partition, worker.options.privacy))
  const stored = await storeBlock(block, decoded, { topic: partition.topic, replaying: true }, context)
  await finish(worker, block, await worker.engine.judgeStored(stored))
  return lastOffset + 1
}

async function followLog(worker: Worker, from: number): Promise<never> {
  const { partition, options, context, engine } = worker
  const { config } = options
  const limits = {
    idleMs: config.tick_interval_ms,
    blockWaitMs: config.block_wait_ms,
    recordsMax: config.block_records_max,
  }
  let next = from
  for (;;) {
    throwIfLost(partition.lost)
    const records = await untilDone('read', () => collectFresh(partition, next, limits), context)
    if (records.length > 0) next = await handleFresh(worker, records)
    else await publishAlerts(await engine.tick(Date.now() - TICK_DELAY_MS), context)
    await worker.sourceWatch?.tick({ caughtUp: records.length < config.block_records_max })
    await observe(worker, next, records.length === 0)
  }
}

/** One block, from intent to commit; answers the offset after it. */
async function handleFresh(worker: Worker, records: readonly LogRecord[]): Promise<number> {
  const { partition, options, context, engine } = worker
  const stopTimer = context.metrics.blockSeconds.startTimer()
  const all = records.map((record) => decodeRecord(record, partition.partition, options.privacy))
  const count = recordsWithinDays(all)
  const decoded = all.slice(0, count)
  const first = decoded.at(0)
  const last = decoded.at(-1)
  if (first === undefined || last === undefined) throw new Error('a block holds at least one record')
  const block: Block = {
    partition: partition.partition,
    firstOffset: first.offset,
    lastOffset: last.offset,
    records: records.slice(0, count),
  }
  await untilDone(
    'commit intent',
    () => partition.commit({ offset: block.firstOffset, metadata: intentOf(block) }),
    context,
  )
  await engine.prepare(eventsOf(decoded))
  const fresh = await storeBlock(block, decoded, { topic: partition.topic, replaying: false }, context)
  await finish(worker, block, await engine.feed(fresh))
  stopTimer()
  return block.lastOffset + 1
}

async function finish(worker: Worker, block: Block, alerts: readonly Alert[]): Promise<void> {
  const { partition, context } = worker
  await publishAlerts(alerts, context)
  await untilDone('commit', () => partition.commit({ offset: block.lastOffset + 1, metadata: '' }), context)
}

function eventsOf(decoded: readonly DecodedRecord[]): FreshEvent[] {
  return decoded.filter((record) => record.kind === 'event')
}

async function observe({ partition, context, engine }: Worker, next: number, idle: boolean): Promise<void> {
  const labels = { partition: partition.partition }
  const { end } = await untilDone('read offsets', () => partition.offsets(), context)
  context.metrics.lag.set(labels, Math.max(0, end - next))
  context.metrics.keys.set(labels, engine.keyCount())
  if (idle) context.metrics.lastTick.set(labels, Date.now() / 1000)
}

import type { Config } from '#shared/config/config.ts'
import { detectionSettingsOf } from '#shared/config/detection-settings-of.ts'
import type { AssignedPartition, LogRecord } from '#shared/event-log/event-log.ts'
import type { RecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { collectFresh, collectPending, intentOf, parseIntent, type Block } from './block.ts'
import { decodeRecord, recordsWithinDays, type DecodedRecord } from './decode-records.ts'
import { watchLag, type Progress } from './lag-loop.ts'
import { createPartitionEngine, type PartitionEngine } from './partition-engine.ts'
import { publishAlerts, type PublishContext } from './publish-alerts.ts'
import { throwIfLost, untilDone } from './retry.ts'
import { createSourceWatch, type SourceWatch } from './source-watch.ts'
import type { UnknownFieldLoop } from './unknown-field-loop.ts'
import { storeBlock, type FreshEvent } from './store-block.ts'

export type WorkerOptions = {
  readonly config: Pick<Config, 'detection' | 'detector'>
  /** Partitions of the topic, to share out the number of live keys. */
  readonly partitions: number
  readonly privacy: RecipientPrivacy
  readonly context: Omit<PublishContext, 'lost'>
  /** Shared by the partitions of this member: a name is told of once, whichever they are on. */
  readonly unknownFields: UnknownFieldLoop
  /** Called once everything of the past is in memory and judged. */
  readonly onReady: () => void
}

type Worker = {
  readonly partition: AssignedPartition
  readonly options: WorkerOptions
  readonly context: PublishContext
  readonly engine: PartitionEngine
  readonly sourceWatch: SourceWatch | undefined
  readonly progress: Progress
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
 * clean position, or a pending block that the next owner stores and feeds again with the same outcome.
 */
export async function runPartition(partition: AssignedPartition, options: WorkerOptions): Promise<void> {
  const ended = new AbortController()
  const lost = AbortSignal.any([partition.lost, ended.signal])
  const context: PublishContext = { ...options.context, lost: partition.lost }
  const { config, partitions } = options
  const liveKeysMax = Math.max(1, Math.floor(config.detector.live_keys_max / partitions))
  const isSourceWatch = partition.partition === SOURCE_WATCH_PARTITION
  const worker: Worker = {
    partition,
    options,
    context,
    engine: createPartitionEngine(config, { partition: partition.partition, liveKeysMax }, context),
    sourceWatch: isSourceWatch ? createSourceWatch(detectionSettingsOf(config), context) : undefined,
    progress: { oldestMs: undefined, records: 0 },
  }
  const lag = { partition: partition.partition, warningSeconds: config.detector.lag_warning_seconds }
  try {
    await lookAhead(worker)
    void watchLag(worker.progress, lag, { ...context, lost })
    const next = await replayPending(worker)
    await worker.engine.restore()
    await worker.sourceWatch?.restore()
    options.onReady()
    await followLog(worker, next)
  } finally {
    ended.abort()
    await worker.engine.stop()
  }
}

/** Notes since when the first record lies that is to be handled, before anything is done that may take long. */
async function lookAhead({ partition, context, progress }: Worker): Promise<void> {
  const { offset } = await untilDone('read position', () => partition.committed(), context)
  const look = () => partition.read({ fromOffset: offset, maxRecords: 1, maxWaitMs: 0 })
  const [first] = await untilDone('read', look, context)
  const { end } = await untilDone('read offsets', () => partition.offsets(), context)
  progress.oldestMs = first?.appendedAtMs
  progress.records = Math.max(0, end - offset)
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
  await worker.engine.prepare(eventsOf(decoded), { partition: partition.partition, ...bounds })
  const fresh = await storeBlock(block, decoded, { topic: partition.topic, replaying: true }, context)
  await feedAndFinish(worker, block, fresh)
  return lastOffset + 1
}

async function followLog(worker: Worker, from: number): Promise<never> {
  const { partition, options, context } = worker
  const config = options.config.detector
  const limits = {
    idleMs: config.tick_interval_ms,
    blockWaitMs: config.block_wait_ms,
    recordsMax: config.block_records_max,
  }
  let next = from
  for (;;) {
    throwIfLost(partition.lost)
    const records = await untilDone('read', () => collectFresh(partition, next, limits), context)
    worker.progress.oldestMs = records.at(0)?.appendedAtMs
    if (records.length > 0) next = await handleFresh(worker, records)
    else await tick(worker)
    await worker.sourceWatch?.tick({ caughtUp: records.length < config.block_records_max })
    await observe(worker, next, records.length === 0)
  }
}

async function tick({ engine, context }: Worker): Promise<void> {
  await publishAlerts(await engine.tick(Date.now() - TICK_DELAY_MS), context)
  engine.settled()
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
  await feedAndFinish(worker, block, fresh)
  stopTimer()
  return block.lastOffset + 1
}

async function feedAndFinish(worker: Worker, block: Block, fresh: readonly FreshEvent[]): Promise<void> {
  const { partition, options, context, engine } = worker
  await publishAlerts(engine.feed(fresh), context)
  await publishAlerts(await options.unknownFields.look(fresh, context), context)
  await untilDone('commit', () => partition.commit({ offset: block.lastOffset + 1, metadata: '' }), context)
  engine.committed(block.lastOffset, fresh)
}

function eventsOf(decoded: readonly DecodedRecord[]): FreshEvent[] {
  return decoded.filter((record) => record.kind === 'event')
}

async function observe(
  { partition, context, engine, progress }: Worker,
  next: number,
  idle: boolean,
): Promise<void> {
  const labels = { partition: partition.partition }
  const { end } = await untilDone('read offsets', () => partition.offsets(), context)
  progress.records = Math.max(0, end - next)
  context.metrics.lag.set(labels, progress.records)
  context.metrics.keys.set(labels, engine.keyCount())
  if (idle) context.metrics.lastTick.set(labels, Date.now() / 1000)
}

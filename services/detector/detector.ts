import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import type { AssignedPartition, EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { startAdminServer } from '#shared/http/admin-server.ts'
import { startAll, type Stop } from '#shared/runtime/lifecycle.ts'
import type { Fail } from '#shared/runtime/run-service.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { createMetrics, type DetectorMetrics } from './metrics.ts'
import { runPartition } from './partition-worker.ts'
import { runReconciliation, type ReconcileTimes } from './reconcile-loop.ts'
import { createReconciler, type ReconcileParts } from './reconcile-rollups.ts'
import { runRejectedPartition } from './rejected-worker.ts'
import { createUnknownFieldLoop } from './unknown-field-loop.ts'

export type DetectorDeps = {
  readonly config: Config
  readonly eventLog: EventLog
  readonly client: ClickHouseClient
  readonly log: Logger
  /** Called when it cannot go on. */
  readonly fail: Fail
  /** Of the comparison of rollups with raw events; the production's unless a test brings its own. */
  readonly reconcileTimes?: ReconcileTimes & Pick<ReconcileParts, 'settleMs' | 'blocksMs'>
}

/** A group's position belongs to one reader of one topic; the two topics are read at their own pace. */
const EVENTS_GROUP = 'keywatch-detector'
const REJECTED_GROUP = 'keywatch-detector-rejected'

/** The owner of this partition compares the rollups: every topic has it, and it has one owner at a time. */
const RECONCILE_PARTITION = 0
const RECONCILE_TIMES = {
  soonMs: 5 * 60_000,
  intervalMs: 3_600_000,
  // An insert is between raw and rollups for milliseconds, and is given up after half a minute.
  settleMs: 40_000,
  blocksMs: 10 * 60_000,
}

/**
 * Starts the detector: it stores the events of its partitions and raises alerts until it is stopped. Ready while
 * the past of every partition it owns is in memory.
 */
export async function startDetector(deps: DetectorDeps): Promise<Stop> {
  const { config, eventLog, client, log, fail } = deps
  const metrics = createMetrics()
  const privacy = createRecipientPrivacy(config)
  const rebuilding = new Set<number>()
  const context = { client, eventLog, log, metrics }
  const unknownFields = createUnknownFieldLoop()

  const handleEvents = async (partition: AssignedPartition) => {
    const ended = new AbortController()
    rebuilding.add(partition.partition)
    try {
      if (partition.partition === RECONCILE_PARTITION) {
        // It never rejects, and nobody waits for it: a long comparison must not hold up a stop.
        void reconcileRollups(AbortSignal.any([partition.lost, ended.signal]), deps, metrics)
      }
      await runPartition(partition, {
        config,
        partitions: config.event_log.partitions,
        privacy,
        context,
        unknownFields,
        onReady: () => rebuilding.delete(partition.partition),
      })
    } finally {
      rebuilding.delete(partition.partition)
      ended.abort()
    }
  }

  return startAll(
    async () => {
      const admin = await startAdminServer({
        address: config.detector.admin_listen,
        metrics: metrics.registry,
        readiness: () =>
          rebuilding.size === 0
            ? { ready: true }
            : { ready: false, reason: `reading the past of ${rebuilding.size} partitions` },
      })
      log.info({ adminPort: admin.port }, 'admin server listens')
      return admin.stop
    },
    () =>
      eventLog.consume({ topic: topics.events, group: EVENTS_GROUP, handle: handleEvents, onFailure: fail }),
    () =>
      eventLog.consume({
        topic: topics.rejected,
        group: REJECTED_GROUP,
        handle: (partition) => runRejectedPartition(partition, context),
        onFailure: fail,
      }),
  )
}

function reconcileRollups(
  lost: AbortSignal,
  { config, eventLog, client, log, reconcileTimes = RECONCILE_TIMES }: DetectorDeps,
  metrics: DetectorMetrics,
): Promise<void> {
  const reconciler = createReconciler({
    client,
    log,
    metrics,
    positions: () => eventLog.positions({ topic: topics.events, group: EVENTS_GROUP }),
    rawRetentionDays: config.warehouse.raw_retention_days,
    now: Date.now,
    settleMs: reconcileTimes.settleMs,
    blocksMs: reconcileTimes.blocksMs,
  })
  return runReconciliation(reconciler, reconcileTimes, { lost, log })
}

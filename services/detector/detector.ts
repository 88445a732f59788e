import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import type { AssignedPartition, EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { startAdminServer } from '#shared/http/admin-server.ts'
import { startAll, type Stop } from '#shared/runtime/lifecycle.ts'
import type { Fail } from '#shared/runtime/run-service.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { createMetrics } from './metrics.ts'
import { runPartition } from './partition-worker.ts'
import { runRejectedPartition } from './rejected-worker.ts'

export type DetectorDeps = {
  readonly config: Config
  readonly eventLog: EventLog
  readonly client: ClickHouseClient
  readonly log: Logger
  /** Called when it cannot go on. */
  readonly fail: Fail
}

/**
 * One group per topic: kafkajs shares out the partitions of its leader's topics among all members of a group, whatever
 * they subscribed to, so two consumers of different topics must not share a group.
 */
const EVENTS_GROUP = 'keywatch-detector'
const REJECTED_GROUP = 'keywatch-detector-rejected'

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

  const handleEvents = async (partition: AssignedPartition) => {
    rebuilding.add(partition.partition)
    try {
      await runPartition(partition, {
        config: config.detector,
        partitions: config.event_log.partitions,
        privacy,
        context,
        onReady: () => rebuilding.delete(partition.partition),
      })
    } finally {
      rebuilding.delete(partition.partition)
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

import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Severity } from '#shared/domain/alert.ts'
import type { AssignedPartition, LogRecord } from '#shared/event-log/event-log.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { backoffMs } from './backoff.ts'
import type { Channel, Notification } from './channel.ts'
import { createDeliveryMemory, type DeliveryMemory } from './delivery-memory.ts'
import type { NotifierMetrics } from './metrics.ts'
import { readAlert } from './read-alert.ts'
import { HANDLED, resumeDelivery } from './resume-delivery.ts'

export type DeliveryDeps = {
  readonly name: string
  readonly channel: Channel
  readonly minimumSeverity: Severity
  readonly metrics: NotifierMetrics
  readonly log: Logger
  readonly random: () => number
  readonly nowMs: () => number
  /** Aborts when the service stops: what is being sent is finished, nothing new is begun. */
  readonly stopping: AbortSignal
}

const RECORDS_PER_READ = 100
const READ_WAIT_MS = 500
const LOG_PAUSE_MS = 1000

/**
 * Brings the alerts of one partition to one channel, in order, until the partition is lost or the service stops.
 *
 * The event log is the outbox: the group's position moves past a record only when the channel has accepted it,
 * refused it for good, or need not hear of it. Before a message is sent its record is committed as the one being
 * sent; if the process dies between the sending and the next commit, that one message is sent again under the
 * same id. Everything before the position counts as told and is never sent again.
 */
export async function deliverAlerts(partition: AssignedPartition, deps: DeliveryDeps): Promise<void> {
  try {
    await deliver(partition, deps)
  } catch (error) {
    // Another member of the group, or this one after its restart, goes on from the committed position.
    if (partition.lost.aborted) return
    if (!deps.stopping.aborted) throw error
    deps.log.warn({ channel: deps.name, err: error }, 'stopped without a last commit')
  }
}

async function deliver(partition: AssignedPartition, deps: DeliveryDeps): Promise<void> {
  const ended = AbortSignal.any([partition.lost, deps.stopping])
  const memory = createDeliveryMemory(deps.minimumSeverity)
  let next = await resumeDelivery(partition, memory, deps)
  let committed = next
  while (!ended.aborted) {
    const fromOffset = next
    const records = await persist(deps, ended, () =>
      partition.read({ fromOffset, maxRecords: RECORDS_PER_READ, maxWaitMs: READ_WAIT_MS }),
    )
    for (const record of records) {
      const notification = notificationFor(record, memory, deps)
      if (notification !== undefined) {
        if (!(await send(notification, record.offset, { partition, deps, ended }))) return
        memory.markHandled(notification.alert)
        committed = record.offset + 1
        await commit(partition, deps, { offset: committed, metadata: HANDLED })
      }
      next = record.offset + 1
      if (ended.aborted) break
    }
    if (committed < next) {
      committed = next
      await commit(partition, deps, { offset: committed, metadata: HANDLED })
    }
    await measureLag(partition, next, deps)
  }
}

/** What the record asks the channel to be told; undefined if nothing. */
function notificationFor(
  record: LogRecord,
  memory: DeliveryMemory,
  deps: DeliveryDeps,
): Notification | undefined {
  const alert = readAlert(record)
  if (alert === undefined) {
    deps.log.error({ channel: deps.name, offset: record.offset }, 'a record of the alert topic is no alert')
    deps.metrics.skipped.inc({ channel: deps.name, reason: 'unreadable' })
    return undefined
  }
  const decision = memory.decide(alert)
  if (decision.kind === 'send') return { alert, change: decision.change }
  deps.metrics.skipped.inc({ channel: deps.name, reason: decision.reason })
  return undefined
}

/** Tries until the channel accepts or refuses. False: the end came first, and nothing may be committed. */
async function send(
  notification: Notification,
  offset: number,
  context: {
    readonly partition: AssignedPartition
    readonly deps: DeliveryDeps
    readonly ended: AbortSignal
  },
): Promise<boolean> {
  const { partition, deps, ended } = context
  const { name: channel, metrics, log } = deps
  const { alert_id, revision } = notification.alert
  await commit(partition, deps, { offset, metadata: `sending:${alert_id}:${revision}` })
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await deps.channel.send(notification, partition.lost)
    if (outcome.kind === 'accepted') {
      metrics.sent.inc({ channel })
      metrics.available.set({ channel }, 1)
      metrics.lastSuccess.set({ channel }, deps.nowMs() / 1000)
      log.info({ channel, alert_id, revision, change: notification.change, attempt }, 'told the channel')
      return true
    }
    if (outcome.kind === 'refused') {
      metrics.refused.inc({ channel })
      metrics.available.set({ channel }, 1)
      log.error(
        { channel, alert_id, revision, reason: outcome.reason },
        'the channel refuses the message for good; correct its settings (url, secrets)',
      )
      return true
    }
    if (ended.aborted) return false
    metrics.failed.inc({ channel })
    metrics.available.set({ channel }, 0)
    const delayMs = backoffMs(attempt, deps.random, outcome.retryAfterMs)
    log.warn({ channel, alert_id, revision, attempt, delayMs, reason: outcome.reason }, 'channel unavailable')
    await measureLag(partition, offset, deps)
    if (!(await pause(delayMs, ended))) return false
  }
}

function commit(
  partition: AssignedPartition,
  deps: DeliveryDeps,
  position: { readonly offset: number; readonly metadata: string },
): Promise<void> {
  // Not ended by `stopping`: what was sent must be committed, or it would be sent again after the restart.
  return persist(deps, partition.lost, () => partition.commit(position))
}

/** Repeats an operation of the event log while it is unavailable; the channel's order and position are kept. */
async function persist<Result>(
  deps: DeliveryDeps,
  ended: AbortSignal,
  operation: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await operation()
    } catch (error) {
      if (!(error instanceof AppError) || !error.retriable || error.code === 'PARTITION_LOST') throw error
      deps.log.warn({ channel: deps.name, err: error }, 'the event log is unavailable')
      if (!(await pause(LOG_PAUSE_MS, ended))) throw error
    }
  }
}

async function measureLag(partition: AssignedPartition, next: number, deps: DeliveryDeps): Promise<void> {
  const { end } = await persist(deps, partition.lost, () => partition.offsets())
  deps.metrics.lag.set({ channel: deps.name, partition: partition.partition }, Math.max(0, end - next))
}

/** False if the pause was cut short. */
async function pause(delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await wait(delayMs, undefined, { signal })
    return true
  } catch {
    return false
  }
}

import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import type { AssignedPartition, EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { startAdminServer } from '#shared/http/admin-server.ts'
import { startAll, type Stop } from '#shared/runtime/lifecycle.ts'
import type { Fail } from '#shared/runtime/run-service.ts'
import { createChannel } from './channels.ts'
import { deliverAlerts, type DeliveryDeps } from './deliver-alerts.ts'
import { createNotifierMetrics } from './metrics.ts'

export type NotifierDeps = {
  readonly eventLog: EventLog
  readonly config: Config['notifier']
  readonly log: Logger
  readonly terminal: { readonly output: Writable; readonly coloured: boolean }
  readonly random: () => number
  readonly nowMs: () => number
  readonly fail: Fail
}

/**
 * Reads the alert topic once per configured channel, each in a consumer group of its own, so that a channel that
 * is down neither holds up nor repeats for the others.
 *
 * Ready while every channel's consumer runs; a channel that does not answer keeps the service ready (its alerts
 * wait in the log) and shows in `keywatch_notifier_channel_available`.
 */
export async function startNotifier(deps: NotifierDeps): Promise<Stop> {
  const { config, log, fail } = deps
  const metrics = createNotifierMetrics()
  const channels = Object.entries(config.channels).map(([name, channelConfig]) => ({
    name,
    minimumSeverity: channelConfig.minimum_severity,
    channel: createChannel(name, channelConfig, deps),
  }))
  if (channels.length === 0) log.warn('no channel is configured: nobody will be told of an alert')
  const waiting = new Set(channels.map(({ name }) => name))
  const readiness = () =>
    waiting.size === 0
      ? { ready: true }
      : { ready: false, reason: `no consumer for channel ${[...waiting].join(', ')}` }

  return startAll(
    async () => {
      const admin = await startAdminServer({
        address: config.admin_listen,
        metrics: metrics.registry,
        readiness,
      })
      log.info({ port: admin.port }, 'admin server listening')
      return admin.stop
    },
    ...channels.map((channel) => async () => {
      const stopping = new AbortController()
      const delivery = {
        ...channel,
        metrics,
        log,
        random: deps.random,
        nowMs: deps.nowMs,
        stopping: stopping.signal,
      }
      const stop = await consumeFor(deps.eventLog, delivery, (error) => {
        waiting.add(channel.name)
        fail(error)
      })
      waiting.delete(channel.name)
      log.info({ channel: channel.name }, 'channel ready')
      return async () => {
        waiting.add(channel.name)
        stopping.abort()
        await stop()
        await channel.channel.close()
      }
    }),
  )
}

/** The returned `stop` expects `delivery.stopping` to have been aborted: it lets the delivery under way end first. */
async function consumeFor(eventLog: EventLog, delivery: DeliveryDeps, onFailure: Fail): Promise<Stop> {
  const underWay = new Set<Promise<void>>()
  const handle = async (partition: AssignedPartition) => {
    const work = deliverAlerts(partition, delivery)
    underWay.add(work)
    await work.finally(() => underWay.delete(work))
    // To return before the partition is lost would be a failure of the consumer.
    if (!partition.lost.aborted) await once(partition.lost, 'abort')
  }
  const stopConsuming = await eventLog.consume({
    topic: topics.alerts,
    group: `keywatch-notifier.${delivery.name}`,
    handle,
    onFailure,
  })
  return async () => {
    await Promise.allSettled(underWay)
    await stopConsuming()
  }
}

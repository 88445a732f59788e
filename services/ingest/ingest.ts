import { Server as HttpsServer } from 'node:https'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { verifySignedBody } from '#shared/domain/webhook-signature.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { startAdminServer, type Readiness } from '#shared/http/admin-server.ts'
import { listen } from '#shared/http/listen.ts'
import { startAll, type Stop } from '#shared/runtime/lifecycle.ts'
import { createAppendMessages } from './append-messages.ts'
import { createByteBudget } from './byte-budget.ts'
import { readCertificate, watchCertificate } from './certificate.ts'
import { createApp } from './create-app.ts'
import { createServer } from './create-server.ts'
import { createWebhookHandler } from './handle-webhook.ts'
import { createMetrics } from './metrics.ts'
import { createPrepareMessages } from './prepare-messages.ts'
import { createSources } from './sources.ts'

export type IngestDeps = {
  readonly config: Pick<Config, 'ingest' | 'sources' | 'attribution' | 'stop_deadline_ms'>
  readonly eventLog: Pick<EventLog, 'append' | 'health'>
  readonly log: Logger
  readonly nowMs?: () => number
}
export type RunningIngest = { readonly port: number; readonly adminPort: number; readonly stop: Stop }

/** Of the time allowed for stopping, the part in which requests may still finish; then their connections are cut. */
const FINISHING_SHARE = 0.6

/**
 * Starts taking webhooks. `stop` turns readiness red and refuses new requests, finishes those that were accepted, and
 * cuts connections that are still sending after most of `stop_deadline_ms`. The event log stays the caller's.
 */
export async function startIngest(deps: IngestDeps): Promise<RunningIngest> {
  const { config, eventLog, log } = deps
  const { tls, listen: address, admin_listen: adminAddress } = config.ingest
  const state = { stopping: false }
  const { app, metrics } = createIngestApp(deps, state)
  const certificate = tls === undefined ? undefined : await readCertificate(tls)
  const server = createServer(app, metrics, certificate)
  const readiness = () => readReadiness(eventLog, state)

  const ports = { port: 0, adminPort: 0 }
  const stopParts = await startAll(
    async () => {
      const admin = await startAdminServer({ address: adminAddress, metrics: metrics.registry, readiness })
      ports.adminPort = admin.port
      return admin.stop
    },
    async () => {
      const listening = await listen(server, address)
      ports.port = listening.port
      return () => closeWithin(config.stop_deadline_ms * FINISHING_SHARE, listening.stop, server)
    },
    async () => {
      if (tls === undefined || !(server instanceof HttpsServer)) return async () => undefined
      return watchCertificate(server, tls, { log, metrics })
    },
  )
  const scheme = tls === undefined ? 'http' : 'https'
  log.info({ address: `${scheme}://${address.host}:${ports.port}`, admin_port: ports.adminPort }, 'listening')
  const stop = () => {
    state.stopping = true
    return stopParts()
  }
  return { ...ports, stop }
}

/** Puts the steps of a request together; throws `CONFIG_INVALID` where a source cannot be served. */
function createIngestApp(
  { config, eventLog, log, nowMs = Date.now }: IngestDeps,
  state: { readonly stopping: boolean },
) {
  const settings = config.ingest
  const sources = createSources(config)
  const budget = createByteBudget(settings.in_flight_limit_bytes)
  const metrics = createMetrics(budget.usedBytes)
  const handleWebhook = createWebhookHandler({
    settings,
    sources,
    budget,
    metrics,
    prepareMessages: createPrepareMessages(metrics),
    appendMessages: createAppendMessages({ eventLog, metrics, log, timeoutMs: settings.append_timeout_ms }),
    isStopping: () => state.stopping,
    nowMs,
    verify: verifySignedBody,
  })
  return { app: createApp({ handleWebhook, metrics, log }), metrics }
}

async function readReadiness(
  eventLog: Pick<EventLog, 'health'>,
  state: { readonly stopping: boolean },
): Promise<Readiness> {
  if (state.stopping) return { ready: false, reason: 'stopping' }
  const { ok, reason } = await eventLog.health()
  return ok ? { ready: true } : { ready: false, reason: reason ?? 'the event log is not available' }
}

async function closeWithin(finishMs: number, stop: Stop, server: { closeAllConnections: () => void }) {
  const timer = setTimeout(() => server.closeAllConnections(), finishMs)
  await stop()
  clearTimeout(timer)
}

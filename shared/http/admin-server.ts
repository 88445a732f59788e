import { createServer, type ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import { listen, type ListenAddress } from './listen.ts'

/** `ready` false means: alive, but do not send work here now; `reason` tells a person why. */
export type Readiness = { readonly ready: boolean; readonly reason?: string }

/**
 * Serves `/healthz` (the process answers), `/readyz` (it can do its work now: 200 or 503) and `/metrics`
 * (Prometheus text). It listens apart from the service's own port because none of this is public.
 */
export async function startAdminServer(options: {
  readonly address: ListenAddress
  readonly metrics: Registry
  readonly readiness: () => Readiness | Promise<Readiness>
}): Promise<{ readonly stop: Stop; readonly port: number }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0]
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      sendJson(response, 405, { error: 'method not allowed' })
    } else if (path === '/healthz') {
      sendJson(response, 200, { status: 'ok' })
    } else if (path === '/readyz') {
      void answerReadiness(options.readiness, response)
    } else if (path === '/metrics') {
      void answerMetrics(options.metrics, response)
    } else {
      sendJson(response, 404, { error: 'not found' })
    }
  })
  const { port, stop } = await listen(server, options.address)
  return { port, stop }
}

async function answerReadiness(readiness: () => Readiness | Promise<Readiness>, response: ServerResponse) {
  try {
    const state = await readiness()
    sendJson(response, state.ready ? 200 : 503, state)
  } catch (error) {
    sendJson(response, 503, { ready: false, reason: error instanceof Error ? error.message : 'unknown' })
  }
}

async function answerMetrics(metrics: Registry, response: ServerResponse) {
  try {
    const text = await metrics.metrics()
    response.writeHead(200, { 'content-type': metrics.contentType })
    response.end(text)
  } catch {
    sendJson(response, 500, { error: 'metrics could not be collected' })
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(JSON.stringify(body))
}

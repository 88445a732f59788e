import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listen } from '#shared/http/listen.ts'

export type ReceivedRequest = {
  readonly path: string
  /** `webhook-id`, empty where the request has none. */
  readonly id: string
  readonly timestampSeconds: number
  readonly body: string
  /** Whether one of its Standard Webhooks signatures is right for one of the receiver's secrets. */
  readonly verified: boolean
}

/** How the receiver behaves towards a request; `hold` answers nothing until the behaviour changes. */
export type Behaviour =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  | { readonly kind: 'hold' }

export type AlertReceiver = {
  readonly url: string
  readonly port: number
  /** Every request in order of arrival, answered or not. */
  readonly requests: readonly ReceivedRequest[]
  /** Requests that were answered with 2xx. */
  readonly accepted: readonly ReceivedRequest[]
  /** From now on; requests on hold get it too. Accepts at first. */
  readonly behave: (behaviour: Behaviour) => void
  /** Accepts so many more requests, then holds. */
  readonly acceptThenHold: (count: number) => void
  readonly close: () => Promise<void>
}

const ACCEPT: Behaviour = { kind: 'answer', status: 204 }

/**
 * An HTTP receiver on loopback that keeps what it gets and checks signatures by itself, from the text of the
 * Standard Webhooks specification and without our own code.
 */
export async function startAlertReceiver(secrets: readonly string[] = []): Promise<AlertReceiver> {
  const requests: ReceivedRequest[] = []
  const accepted: ReceivedRequest[] = []
  const held = new Map<ServerResponse, ReceivedRequest>()
  let behaviour = ACCEPT
  let acceptedMax = Number.POSITIVE_INFINITY

  const respond = (response: ServerResponse, received: ReceivedRequest) => {
    if (behaviour.kind === 'hold' || accepted.length >= acceptedMax) {
      held.set(response, received)
      response.once('close', () => held.delete(response))
      return
    }
    const { status, headers = {}, body = '' } = behaviour
    if (status >= 200 && status < 300) accepted.push(received)
    response.writeHead(status, headers).end(body)
  }
  const server = createServer((request, response) => {
    void readRequest(request, secrets).then((received) => {
      requests.push(received)
      respond(response, received)
    })
  })
  const { port, stop } = await listen(server, { host: '127.0.0.1', port: 0 })
  return {
    url: `http://127.0.0.1:${port}/alerts`,
    port,
    requests,
    accepted,
    behave: (next) => {
      behaviour = next
      acceptedMax = Number.POSITIVE_INFINITY
      if (next.kind === 'hold') return
      for (const [response, received] of held) {
        held.delete(response)
        respond(response, received)
      }
    },
    acceptThenHold: (count) => {
      behaviour = ACCEPT
      acceptedMax = accepted.length + count
    },
    close: async () => {
      server.closeAllConnections()
      await stop()
    },
  }
}

async function readRequest(request: IncomingMessage, secrets: readonly string[]): Promise<ReceivedRequest> {
  const body = await text(request)
  const id = headerOf(request, 'webhook-id')
  const timestamp = headerOf(request, 'webhook-timestamp')
  const signatures = headerOf(request, 'webhook-signature').split(' ')
  const verified = secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    const digest = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
    return signatures.some((signature) => isEqual(signature, `v1,${digest}`))
  })
  return { path: request.url ?? '', id, timestampSeconds: Number(timestamp), body, verified }
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}

function isEqual(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right))
}

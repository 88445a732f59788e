import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Every way in which a request ends without being accepted. The answers say nothing that would help an attacker;
 * the reason is in the metrics. An unknown source differs from a bad signature in the status alone.
 */
const refusals = {
  bad_request: { status: 400, error: 'bad request' },
  unauthorised: { status: 401, error: 'refused' },
  unknown_source: { status: 404, error: 'refused' },
  not_found: { status: 404, error: 'not found' },
  method_not_allowed: { status: 405, error: 'method not allowed', headers: { allow: 'POST' } },
  too_large: { status: 413, error: 'too large' },
  unsupported_encoding: { status: 415, error: 'unsupported content encoding' },
  failed: { status: 500, error: 'internal error' },
  busy: { status: 503, error: 'try again later', headers: { 'retry-after': '5' } },
  stopping: { status: 503, error: 'try again later', headers: { 'retry-after': '5' } },
  log_unavailable: { status: 503, error: 'try again later', headers: { 'retry-after': '10' } },
} as const satisfies Record<string, { status: number; error: string; headers?: Record<string, string> }>
export type Refusal = keyof typeof refusals

const prepared = new Map(
  Object.entries(refusals).map(([name, refusal]) => {
    const body = JSON.stringify({ error: refusal.error })
    const headers = {
      ...commonHeaders(body),
      ...('headers' in refusal ? refusal.headers : {}),
    }
    return [name, { status: refusal.status, headers, body }] as const
  }),
)

/** Unread bodies up to this size are read to their end and dropped, so that the connection can be used again. */
const DRAINED_BYTES_MAX = 64 * 1024
const LINGER_MS = 1000

/** Answers 200 and says how many events were taken. While stopping, the connection is not kept. */
export function answerAccepted(
  response: ServerResponse,
  counts: { readonly accepted: number; readonly rejected: number; readonly closing: boolean },
) {
  const body = `{"accepted":${counts.accepted},"rejected":${counts.rejected}}`
  response.writeHead(200, { ...commonHeaders(body), ...(counts.closing ? { connection: 'close' } : {}) })
  response.end(body)
}

/**
 * Refuses a request. Where a large part of its body may still be on the way, the connection is closed; it stays open
 * for another second at most, so that the answer is not lost to a reset while the client is still sending.
 */
export function answerRefused(request: IncomingMessage, response: ServerResponse, refusal: Refusal) {
  const answer = prepared.get(refusal)
  if (answer === undefined || response.headersSent) return
  if (!mustClose(request, refusal)) {
    response.writeHead(answer.status, answer.headers)
    response.end(answer.body)
    return
  }
  response.writeHead(answer.status, { ...answer.headers, connection: 'close' })
  if (request.complete) {
    response.end(answer.body)
    return
  }
  response.write(answer.body)
  request.resume()
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  request.once('end', end)
  request.once('close', end)
}

function mustClose(request: IncomingMessage, refusal: Refusal): boolean {
  if (refusal === 'stopping' || refusal === 'too_large' || refusal === 'bad_request') return true
  if (request.complete) return false
  if (request.headers['transfer-encoding'] !== undefined) return true
  return Number(request.headers['content-length'] ?? 0) > DRAINED_BYTES_MAX
}

function commonHeaders(body: string) {
  return {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
}

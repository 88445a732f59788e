import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import {
  CONNECTIONS_MAX,
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  TIMEOUT_CHECK_INTERVAL_MS,
} from './http-limits.ts'
import type { IngestMetrics } from './metrics.ts'
import type { CertificatePair } from './certificate.ts'

/** The server with every limit set; with a certificate it speaks HTTPS only. */
export function createServer(
  app: RequestListener,
  metrics: IngestMetrics,
  certificate: CertificatePair | undefined,
): HttpServer | HttpsServer {
  const options = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    insecureHTTPParser: false,
    // handle-webhook.ts looks at the Host header, and answers in JSON as everywhere.
    requireHostHeader: false,
  }
  const server =
    certificate === undefined
      ? createHttpServer(options, app)
      : createHttpsServer({ ...options, ...certificate, minVersion: 'TLSv1.2' }, app)
  server.maxHeadersCount = HEADERS_MAX
  server.maxConnections = CONNECTIONS_MAX
  // Without this Node.js would ask for the body before the headers were looked at.
  server.on('checkContinue', app)
  server.on('clientError', (error, socket) => {
    metrics.requests.inc({ outcome: 'parser_error' })
    answerParserError(error, socket)
  })
  return server
}

const parserAnswers = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
])

/** What the parser refuses never becomes a request, so the answer is written to the socket itself. */
function answerParserError(error: Error, socket: Duplex) {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = parserAnswers.get(code) ?? '400 Bad Request'
  const body = '{"error":"bad request"}'
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}

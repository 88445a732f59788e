import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { sendAnswer, sendError } from './answer.ts'
import { exception, fromEngineError, type ClickHouseException } from './clickhouse-error.ts'
import { credentialsMatch, presentedCredentials, type Credentials } from './credentials.ts'
import type { Engine } from './engine.ts'
import { readQueryRequest, urlParameters } from './query-request.ts'
import { runQuery } from './run-query.ts'
import type { Spool } from './spool.ts'

/** ClickHouse's own default; longer than any client of ours keeps an idle connection. */
const KEEP_ALIVE_MS = 10_000
/** A whole upload may take this long. */
const REQUEST_TIMEOUT_MS = 300_000

export type HttpInterface = {
  readonly engine: Engine
  readonly spool: Spool
  readonly credentials: Credentials
  readonly log: Logger
  /** The engine can no longer be relied on. */
  readonly fail: (error: unknown) => void
}

/** ClickHouse's HTTP interface in front of an engine: `/ping` is open, everything else asks for the password. */
export function createHttpInterface(parts: HttpInterface): Server {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_TIMEOUT_MS })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, parts).catch((error: unknown) => {
      parts.log.error({ err: error }, 'a request failed')
      response.destroy()
    })
  })
  return server
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: HttpInterface) {
  const { path, parameters } = urlParameters(request)
  response.setHeader('x-clickhouse-server-display-name', parts.engine.displayName)
  response.setHeader('x-clickhouse-timezone', parts.engine.timezone)
  if (request.method === 'OPTIONS') return sendText(response, 204, '', { allow: 'GET, HEAD, POST, OPTIONS' })
  if (request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'POST') {
    return sendText(response, 405, 'Method not allowed\n', { allow: 'GET, HEAD, POST, OPTIONS' })
  }
  if (path === '/ping') return sendText(response, 200, 'Ok.\n')
  const presented = presentedCredentials(request.headers, parameters)
  if (presented === undefined || !credentialsMatch(presented, parts.credentials)) {
    return refuse(request, response, presented, parts)
  }
  if (path !== '/' && path !== '/query') {
    return sendText(response, 404, `There is no handle ${path}\n\nUse / or /ping for health checks.\n`)
  }
  if (request.method !== 'POST' && !parameters.has('query')) return sendText(response, 200, 'Ok.\n')
  await answerQuery(request, response, { ...parts, parameters })
}

async function answerQuery(
  request: IncomingMessage,
  response: ServerResponse,
  parts: HttpInterface & { readonly parameters: ReadonlyMap<string, string> },
) {
  const { engine, spool } = parts
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'))
  })
  let file: string | undefined
  try {
    const query = await readQueryRequest(request, parts.parameters)
    response.setHeader('x-clickhouse-query-id', query.queryId)
    const result = await runQuery(request, query, { engine, spool, signal: gone.signal })
    file = result.file
    await sendAnswer(response, result, query.answerEncoding)
  } catch (error) {
    if (gone.signal.aborted) return
    const known = fromEngineError(error)
    report(parts, known)
    sendError(response, known, engine.version)
    // The rest of an upload that nobody wants is read and dropped, so that the client gets to see the answer.
    request.resume()
  } finally {
    if (file !== undefined) await spool.discard(file)
  }
}

function report({ log, fail }: HttpInterface, error: ClickHouseException) {
  // Messages may quote a statement with its values, so the log has numbers and names only.
  log.debug({ code: error.code, type: error.type }, 'statement failed')
  if (error.type === 'ABORTED' && error.message.includes('fatal error')) fail(error)
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  presented: Credentials | undefined,
  { engine, log }: HttpInterface,
) {
  log.warn({ presented: presented !== undefined }, 'refused a request without the right password')
  const error = exception(
    516,
    `${presented?.username ?? 'default'}: Authentication failed: password is incorrect, or there is no user with such name.`,
  )
  if (presented === undefined) {
    response.setHeader('www-authenticate', 'Basic realm="ClickHouse server HTTP API"')
  }
  sendError(response, error, engine.version, presented === undefined ? 401 : undefined)
  request.resume()
}

function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=UTF-8', ...headers })
  response.end(text)
}

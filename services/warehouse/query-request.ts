import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { randomUUID } from 'node:crypto'
import { exception } from './clickhouse-error.ts'
import { readHead } from './request-body.ts'
import type { RequestScope } from './session-settings.ts'

const DEFAULT_FORMAT = 'TabSeparated'
/** Query parameters in a form; the same bound as for the text of a statement. */
const FORM_BYTES_MAX = 16 * 1024 * 1024

/**
 * Parameters that are not settings, and settings of ClickHouse's HTTP layer that need no action here: every answer
 * is complete before its first byte is sent, so there is nothing to wait for, to buffer or to report meanwhile.
 */
const NOT_SETTINGS = new Set(
  `query user password database default_format query_id quota_key stacktrace session_timeout session_check
   close_session client_protocol_version compress decompress wait_end_of_query buffer_size
   http_response_buffer_size http_wait_end_of_query send_progress_in_http_headers
   http_headers_progress_interval_ms enable_http_compression http_zlib_compression_level`.split(/\s+/),
)

/** Parameters of ClickHouse's that ask for what this interface does not have. */
const REFUSED = new Map([
  ['session_id', 'Sessions are not supported here: send settings and parameters with each request'],
  ['role', 'Roles are not supported here'],
])

export type QueryRequest = {
  readonly queryId: string
  /** The URL's or the form's `query`; empty when the statement is in the body. */
  readonly query: string
  readonly format: string
  readonly scope: RequestScope
  /** The client asked for a compressed answer and takes this encoding. */
  readonly answerEncoding?: 'gzip' | 'deflate' | 'br'
  /** The body was a form with parameters and has been read. */
  readonly isForm: boolean
}

/** The last value of every URL parameter. */
export function urlParameters(request: IncomingMessage): { path: string; parameters: Map<string, string> } {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s)
  return { path, parameters: new Map(new URLSearchParams(query)) }
}

/** Reads everything about a request but its statement's text and data. Throws ClickHouse's errors. */
export async function readQueryRequest(
  request: IncomingMessage,
  url: ReadonlyMap<string, string>,
): Promise<QueryRequest> {
  const isForm = /^multipart\/form-data/i.test(request.headers['content-type'] ?? '')
  const parameters = new Map([...url, ...(isForm ? await formFields(request) : [])])
  for (const [name, reason] of REFUSED) {
    if (parameters.has(name)) throw exception(48, `${reason} (parameter ${name})`)
  }
  if (parameters.get('compress') === '1' || parameters.get('decompress') === '1') {
    throw exception(
      48,
      "ClickHouse's native compression (compress=1, decompress=1) is not supported here; use Content-Encoding, or enable_http_compression=1 with Accept-Encoding",
    )
  }
  const format =
    parameters.get('default_format') ?? header(request.headers, 'x-clickhouse-format') ?? DEFAULT_FORMAT
  if (!/^\w+$/.test(format)) throw exception(36, `Bad name of a format: ${JSON.stringify(format)}`)
  const answerEncoding = acceptedEncoding(request.headers, parameters)
  return {
    queryId: queryId(parameters.get('query_id')),
    query: parameters.get('query') ?? '',
    format,
    scope: scopeOf(request, parameters),
    ...(answerEncoding === undefined ? {} : { answerEncoding }),
    isForm,
  }
}

function scopeOf(request: IncomingMessage, parameters: ReadonlyMap<string, string>): RequestScope {
  const settings = new Map<string, string>()
  const values = new Map<string, string>()
  for (const [name, value] of parameters) {
    if (name.startsWith('param_')) values.set(name.slice('param_'.length), value)
    else if (!NOT_SETTINGS.has(name)) settings.set(name, value)
  }
  // As on a ClickHouse server, GET changes nothing. `readonly` stays last: it forbids setting others.
  const readonly = settings.get('readonly')
  settings.delete('readonly')
  if (readonly !== undefined && readonly !== '0') settings.set('readonly', readonly)
  else if (request.method !== 'POST') settings.set('readonly', '2')
  const database = parameters.get('database') ?? header(request.headers, 'x-clickhouse-database')
  return { database: database === '' ? undefined : database, settings, parameters: values }
}

function acceptedEncoding(
  headers: IncomingHttpHeaders,
  parameters: ReadonlyMap<string, string>,
): QueryRequest['answerEncoding'] {
  if (parameters.get('enable_http_compression') !== '1') return undefined
  const accepted = (header(headers, 'accept-encoding') ?? '')
    .toLowerCase()
    .split(',')
    .map((entry) => entry.split(';', 1)[0]?.trim())
  return (['gzip', 'deflate', 'br'] as const).find((encoding) => accepted.includes(encoding))
}

/** It comes back as a header, so it holds nothing that could end one. */
function queryId(given: string | undefined): string {
  if (given === undefined || given === '') return randomUUID()
  if (!/^[\x20-\x7e]{1,256}$/.test(given))
    throw exception(36, 'query_id must be at most 256 printable characters')
  return given
}

async function formFields(request: IncomingMessage): Promise<Map<string, string>> {
  const { head, complete } = await readHead(request, FORM_BYTES_MAX)
  if (!complete) throw exception(36, `A form must be at most ${FORM_BYTES_MAX} bytes`)
  const type = request.headers['content-type'] ?? ''
  const fields = new Map<string, string>()
  const form = await new Response(head, { headers: { 'content-type': type } }).formData().catch((error) => {
    throw exception(36, `The form cannot be read: ${error instanceof Error ? error.message : ''}`)
  })
  for (const [name, value] of form) {
    if (typeof value !== 'string')
      throw exception(48, 'External tables (files in a form) are not supported here')
    fields.set(name, value)
  }
  return fields
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

import type { IncomingMessage } from 'node:http'
import { ClickHouseException, exception } from './clickhouse-error.ts'
import type { Engine, EngineResult } from './engine.ts'
import type { QueryRequest } from './query-request.ts'
import { after, bodyCompression, decodedBody, readHead } from './request-body.ts'
import { quoteString } from './session-settings.ts'
import type { Spool } from './spool.ts'
import { readStatement, type Statement } from './statement.ts'

/** A statement's text may be this long (the engine's own max_query_size still applies); data may be any length. */
const STATEMENT_BYTES_MAX = 1024 * 1024

/** ClickHouse's summary of a request, numbers as text; what the engine does not tell is absent. */
export type Summary = Readonly<Record<string, string>>

export type QueryAnswer = {
  readonly format: string
  readonly summary: Summary
  /** The result: a file of the spool, to be discarded when it was sent, or bytes. */
  readonly file?: string
  readonly bytes: Uint8Array
}

export type QueryContext = {
  readonly engine: Engine
  readonly spool: Spool
  readonly signal: AbortSignal
}

/**
 * Runs a request's one statement, with data from the body where it is an INSERT that awaits data.
 *
 * As on a ClickHouse server the URL's `query` and the body are one text; data that follows the statement goes
 * to a file and is read by the engine only when all of it has arrived, so that a broken upload stores nothing.
 */
export async function runQuery(
  message: IncomingMessage,
  request: QueryRequest,
  context: QueryContext,
): Promise<QueryAnswer> {
  const fromUrl = request.query === '' ? '' : toBinary(`${request.query}\n`)
  if (request.isForm) return runStatement(readStatement(fromUrl), request, context)

  const compression = bodyCompression(message)
  if (fromUrl !== '') {
    const statement = readStatement(fromUrl)
    if (statement.kind === 'insert-data') {
      const start = Buffer.from(fromUrl.slice(statement.dataAt), 'latin1')
      // Only a body of its own can be left to the engine to decompress.
      const own = start.toString('latin1').trim() === ''
      const data = own ? message : after(start, decodedBody(message, compression))
      return insertData(statement, data, own ? compression : 'none', { request, context })
    }
  }
  const body = decodedBody(message, compression)
  const { head, rest, complete } = await readHead(body, STATEMENT_BYTES_MAX)
  const text = fromUrl + head.toString('latin1')
  const statement = readStatement(text)
  if (statement.kind === 'insert-data') {
    const start = Buffer.from(text.slice(statement.dataAt), 'latin1')
    return insertData(statement, after(start, rest), 'none', { request, context })
  }
  if (!complete) {
    throw exception(62, `Syntax error: the statement is longer than ${STATEMENT_BYTES_MAX} bytes`)
  }
  return runStatement(statement, request, context)
}

async function runStatement(
  statement: Statement,
  request: QueryRequest,
  context: QueryContext,
): Promise<QueryAnswer> {
  switch (statement.kind) {
    case 'insert-data':
      return insertData(statement, [], 'none', { request, context })
    case 'select':
      return select(statement, request, context)
    case 'other': {
      const kind = statement.reads ? 'read' : 'write'
      const result = await run(statement.text, kind, request, context)
      const summary = statement.reads ? readSummary(result) : { elapsed_ns: elapsed(result) }
      return { format: statement.format ?? request.format, summary, bytes: result.bytes }
    }
    default:
      return statement satisfies never
  }
}

async function insertData(
  statement: Extract<Statement, { kind: 'insert-data' }>,
  data: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  compression: string,
  { request, context }: { readonly request: QueryRequest; readonly context: QueryContext },
): Promise<QueryAnswer> {
  const file = await context.spool.save(data)
  try {
    const source = `FROM INFILE ${quoteString(file)} COMPRESSION '${compression}' `
    const sql = `${statement.before}\n${source}${statement.after}`
    const result = await run(sql, 'write', request, context)
    const rows = String(result.rows)
    const bytes = String(result.rowBytes)
    const summary = { read_rows: rows, read_bytes: bytes, written_rows: rows, written_bytes: bytes }
    return {
      format: request.format,
      summary: { ...summary, elapsed_ns: elapsed(result) },
      bytes: new Uint8Array(),
    }
  } catch (error) {
    throw withoutFile(error, file)
  } finally {
    await context.spool.discard(file)
  }
}

async function select(
  statement: Extract<Statement, { kind: 'select' }>,
  request: QueryRequest,
  context: QueryContext,
): Promise<QueryAnswer> {
  const format = statement.format ?? request.format
  const file = context.spool.newFile()
  const ending = statement.format === undefined ? `FORMAT ${format}` : statement.after
  const sql = `${statement.before}\nINTO OUTFILE ${quoteString(file)} COMPRESSION 'none' ${ending}`
  try {
    const result = await run(sql, 'read', request, context)
    return { format, summary: readSummary(result), file, bytes: new Uint8Array() }
  } catch (error) {
    await context.spool.discard(file)
    if (!(error instanceof ClickHouseException) || error.type !== 'SYNTAX_ERROR')
      throw withoutFile(error, file)
    // Nothing has run; the statement as it was sent gives the message that its author expects.
    const result = await run(statement.text, 'read', request, context)
    return { format, summary: readSummary(result), bytes: result.bytes }
  }
}

function run(
  text: string,
  kind: 'read' | 'write',
  request: QueryRequest,
  context: QueryContext,
): Promise<EngineResult> {
  const { scope, format } = request
  return context.engine.run({ sql: fromBinary(text), format, kind, scope, signal: context.signal })
}

function readSummary(result: EngineResult): Summary {
  return {
    result_rows: String(result.rows),
    result_bytes: String(result.rowBytes),
    elapsed_ns: elapsed(result),
  }
}

function elapsed(result: EngineResult): string {
  return String(Math.round(result.elapsedSeconds * 1e9))
}

/** Messages name the request's body or answer, not this machine's files. */
function withoutFile(error: unknown, file: string): unknown {
  if (!(error instanceof ClickHouseException)) return error
  return new ClickHouseException(error.code, error.type, error.message.replaceAll(file, 'the request'))
}

function toBinary(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function fromBinary(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

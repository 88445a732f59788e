import { sqlTokens, type SqlToken } from '#shared/warehouse/sql-tokens.ts'
import { exception } from './clickhouse-error.ts'

/**
 * One statement, ready for the engine. Texts are UTF-8 read as Latin-1, so that positions count bytes.
 *
 * `insert-data` awaits data from the request: `dataAt` is where it begins in the text that was given.
 * `select` may have its result written to a file; `other` is everything else.
 */
export type Statement =
  | { readonly kind: 'insert-data'; readonly before: string; readonly after: string; readonly dataAt: number }
  | {
      readonly kind: 'select'
      readonly text: string
      readonly before: string
      readonly after: string
      readonly format?: string
    }
  | { readonly kind: 'other'; readonly text: string; readonly format?: string; readonly reads: boolean }

/** Statements that change nothing, besides SELECT. */
const READING = new Set(['SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN', 'CHECK'])

/**
 * Says what kind of statement a request's text begins with and where a file can take the place of the
 * data sent or received.
 *
 * Why files: the engine ends data inside a statement at the first empty line and drops the rest without an error,
 * and a result taken from memory would have to fit there. Throws ClickHouse's SYNTAX_ERROR when the text
 * is empty or holds more than one statement, and its refusals of INTO OUTFILE and FROM INFILE, which would
 * name files of this machine.
 */
export function readStatement(text: string): Statement {
  const tokens = sqlTokens(text)
  const first = tokens.next()
  if (first.done) throw exception(62, 'Syntax error: Empty query')
  if (keyword(first.value) === 'INSERT') return readInsert(text, [first.value, ...tokens])
  const rest = [...tokens]
  if (
    keyword(first.value) === 'WITH' &&
    rest.some((token) => token.depth === 0 && keyword(token) === 'INSERT')
  ) {
    return readInsert(text, [first.value, ...rest])
  }
  return readQuery(text, [first.value, ...rest])
}

function readInsert(text: string, tokens: readonly SqlToken[]): Statement {
  let insertionAt: number | undefined
  // A table may be called format or values: its name comes first and is never looked at as a keyword.
  for (let index = indexAfterTable(tokens); index < tokens.length; index += 1) {
    const token = tokens[index]
    if (token === undefined || token.depth > 0) continue
    const word = keyword(token)
    if (word === 'FROM' && keyword(tokens[index + 1]) === 'INFILE') {
      throw exception(78, 'Query has infile and was send directly to server')
    }
    if (word === 'SELECT' || word === 'WITH' || word === 'FROM' || word === 'WATCH') break
    if (word === 'SETTINGS') insertionAt ??= token.start
    if (word === 'VALUES') return insertOf(text, insertionAt ?? token.start, token.start, token.end, 'Values')
    const format = tokens[index + 1]
    if (word === 'FORMAT' && format !== undefined) {
      return insertOf(text, insertionAt ?? token.start, token.start, dataStart(text, format.end), format.text)
    }
  }
  return readQuery(text, tokens)
}

function insertOf(
  text: string,
  insertionAt: number,
  formatAt: number,
  dataAt: number,
  format: string,
): Statement {
  return {
    kind: 'insert-data',
    before: text.slice(0, insertionAt),
    after: `${text.slice(insertionAt, formatAt)} FORMAT ${format}`,
    dataAt,
  }
}

/** INSERT [INTO] [TABLE] [FUNCTION] name[.name]: the position of what follows. */
function indexAfterTable(tokens: readonly SqlToken[]): number {
  let index = tokens.findIndex((token) => keyword(token) === 'INSERT') + 1
  if (keyword(tokens[index]) === 'INTO') index += 1
  const following = tokens[index + 1]
  const names = keyword(tokens[index])
  const isName = following === undefined || following.text === '.' || following.text === '('
  if ((names === 'TABLE' || names === 'FUNCTION') && !isName) index += 1
  if (keyword(tokens[index]) === 'FUNCTION' && tokens[index + 1]?.kind === 'word') index += 1
  index += 1
  while (tokens[index]?.text === '.') index += 2
  return index
}

function readQuery(text: string, tokens: readonly SqlToken[]): Statement {
  const semicolon = tokens.findIndex((token) => token.kind === 'symbol' && token.text === ';')
  const own = semicolon === -1 ? tokens : tokens.slice(0, semicolon)
  if (tokens.slice(own.length).some((token) => token.text !== ';')) {
    throw exception(62, 'Syntax error: Multi-statements are not allowed')
  }
  const first = own[0]
  const last = own.at(-1)
  if (first === undefined || last === undefined) throw exception(62, 'Syntax error: Empty query')
  refuseOutfile(own)
  const body = text.slice(0, last.end)
  const formatAt = own.findLastIndex((token, index) => isFormat(own, token, index))
  const format = formatAt === -1 ? undefined : own[formatAt + 1]?.text
  const named = format === undefined ? {} : { format }
  const word = keyword(first)
  const isInsert = own.some((token) => token.depth === 0 && keyword(token) === 'INSERT')
  if (!isInsert && (word === 'SELECT' || word === 'WITH' || word === 'FROM' || first.text === '(')) {
    const end = own[formatAt]?.start ?? last.end
    return { kind: 'select', text: body, before: body.slice(0, end), after: body.slice(end), ...named }
  }
  return { kind: 'other', text: body, reads: READING.has(word ?? ''), ...named }
}

/** FORMAT and a name at the end of the statement, or before its closing SETTINGS. */
function isFormat(tokens: readonly SqlToken[], token: SqlToken, index: number): boolean {
  const next = tokens[index + 2]
  return (
    token.depth === 0 &&
    keyword(token) === 'FORMAT' &&
    tokens[index + 1]?.kind === 'word' &&
    (next === undefined || keyword(next) === 'SETTINGS')
  )
}

function refuseOutfile(tokens: readonly SqlToken[]) {
  const found = tokens.some(
    (token, index) =>
      keyword(token) === 'INTO' &&
      keyword(tokens[index + 1]) === 'OUTFILE' &&
      tokens[index + 2]?.kind === 'string',
  )
  if (found) throw exception(48, 'INTO OUTFILE is not allowed')
}

/** Data begins after the line break behind the format's name, or after the blanks where there is none. */
function dataStart(text: string, afterFormat: number): number {
  const gap = /[ \t\f]*\r?\n?/y
  gap.lastIndex = afterFormat
  return gap.test(text) ? gap.lastIndex : afterFormat
}

function keyword(token: SqlToken | undefined): string | undefined {
  return token?.kind === 'word' ? token.text.toUpperCase() : undefined
}

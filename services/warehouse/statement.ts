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
  const tokens = lookAhead(sqlTokens(text))
  const first = keyword(tokens.at(0))
  const insertAt = first === 'INSERT' ? 0 : first === 'WITH' ? indexOfInsert(tokens.all()) : -1
  return (insertAt === -1 ? undefined : readInsert(text, tokens, insertAt)) ?? readQuery(text, tokens.all())
}

/** Tokens are read only as far as they are asked for: behind a statement there may be megabytes of data. */
type Tokens = {
  readonly at: (index: number) => SqlToken | undefined
  readonly all: () => readonly SqlToken[]
}

function lookAhead(tokens: Generator<SqlToken, void, void>): Tokens {
  const taken: SqlToken[] = []
  const at = (index: number) => {
    while (taken.length <= index) {
      const next = tokens.next()
      if (next.done === true) return undefined
      taken.push(next.value)
    }
    return taken[index]
  }
  const all = () => {
    for (const token of tokens) taken.push(token)
    return taken
  }
  return { at, all }
}

function indexOfInsert(tokens: readonly SqlToken[]): number {
  return tokens.findIndex((token) => token.depth === 0 && keyword(token) === 'INSERT')
}

function readInsert(text: string, tokens: Tokens, insertAt: number): Statement | undefined {
  let insertionAt: number | undefined
  // A table may be called format or values: its name comes first and is never looked at as a keyword.
  for (let index = indexAfterTable(tokens, insertAt); ; index += 1) {
    const token = tokens.at(index)
    if (token === undefined) return undefined
    if (token.depth > 0) continue
    const word = keyword(token)
    if (word === 'FROM' && keyword(tokens.at(index + 1)) === 'INFILE') {
      throw exception(78, 'Query has infile and was send directly to server')
    }
    if (word === 'SELECT' || word === 'WITH' || word === 'FROM' || word === 'WATCH') return undefined
    if (word === 'SETTINGS') insertionAt ??= token.start
    if (word === 'VALUES') return insertOf(text, insertionAt ?? token.start, token.start, token.end, 'Values')
    if (word === 'FORMAT') {
      const format = tokens.at(index + 1)
      if (format === undefined) return undefined
      return insertOf(text, insertionAt ?? token.start, token.start, dataStart(text, format.end), format.text)
    }
  }
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
function indexAfterTable(tokens: Tokens, insertAt: number): number {
  let index = insertAt + 1
  if (keyword(tokens.at(index)) === 'INTO') index += 1
  if (isKeywordBeforeName(tokens, index, 'TABLE')) index += 1
  if (isKeywordBeforeName(tokens, index, 'FUNCTION')) index += 1
  index += 1
  while (tokens.at(index)?.text === '.') index += 2
  return index
}

/** A table may also be called table: then a dot, a bracket or nothing follows. */
function isKeywordBeforeName(tokens: Tokens, index: number, word: string): boolean {
  const next = tokens.at(index + 1)
  return keyword(tokens.at(index)) === word && next !== undefined && next.text !== '.' && next.text !== '('
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

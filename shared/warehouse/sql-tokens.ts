export type SqlToken = {
  /** `word`: a keyword or a bare identifier; `quoted`: an identifier in quotes; `symbol`: one character. */
  readonly kind: 'word' | 'quoted' | 'string' | 'symbol'
  readonly text: string
  readonly start: number
  /** Position after the token's last character. */
  readonly end: number
  /** How many brackets of any kind are open around it; an opening bracket counts itself, a closing one does not. */
  readonly depth: number
}

const WORD = /[A-Za-z0-9_\u0080-\uffff]+/y
const SPACE = /\s+/y
const HEREDOC = /\$[A-Za-z0-9_]*\$/y

/** ClickHouse takes typographic quotes for straight ones; the second pair of each is UTF-8 read as Latin-1. */
const TYPOGRAPHIC_QUOTES = [
  { open: '‘', close: '’', kind: 'string' },
  { open: '“', close: '”', kind: 'quoted' },
  { open: '\u00e2\u0080\u0098', close: '\u00e2\u0080\u0099', kind: 'string' },
  { open: '\u00e2\u0080\u009c', close: '\u00e2\u0080\u009d', kind: 'quoted' },
] as const

/**
 * Reads ClickHouse SQL token by token, without comments and white space, as far as the caller asks.
 *
 * It knows what may hide a semicolon or a keyword: strings and quoted identifiers with both ways of escaping,
 * here-documents, line comments and nested block comments. An unclosed string or comment ends at the end of
 * the text; the engine is the one to complain. Source: ClickHouse, src/Parsers/Lexer.cpp.
 */
export function* sqlTokens(text: string): Generator<SqlToken, void, void> {
  let depth = 0
  let position = 0
  while (position < text.length) {
    const start = position
    const skipped = endOfGap(text, position)
    if (skipped > position) {
      position = skipped
      continue
    }
    const quotation = endOfQuotation(text, position)
    if (quotation !== undefined) {
      position = quotation.end
      yield { kind: quotation.kind, text: text.slice(start, position), start, end: position, depth }
      continue
    }
    const word = endOfMatch(WORD, text, position)
    if (word > position) {
      position = word
      yield { kind: 'word', text: text.slice(start, word), start, end: word, depth }
      continue
    }
    position += 1
    const symbol = text.slice(start, position)
    if ('([{'.includes(symbol)) depth += 1
    if (')]}'.includes(symbol)) depth = Math.max(0, depth - 1)
    yield { kind: 'symbol', text: symbol, start, end: position, depth }
  }
}

/** The end of the white space or the comment that begins here; the same position when neither does. */
function endOfGap(text: string, position: number): number {
  const space = endOfMatch(SPACE, text, position)
  if (space > position) return space
  const two = text.slice(position, position + 2)
  if (two === '--' || two === '//' || two === '# ' || two === '#!') {
    const lineEnd = text.indexOf('\n', position)
    return lineEnd === -1 ? text.length : lineEnd + 1
  }
  return two === '/*' ? endOfBlockComment(text, position) : position
}

function endOfBlockComment(text: string, start: number): number {
  let open = 0
  let position = start
  while (position < text.length) {
    if (text.startsWith('/*', position)) {
      open += 1
      position += 2
    } else if (text.startsWith('*/', position)) {
      open -= 1
      position += 2
      if (open === 0) return position
    } else {
      position += 1
    }
  }
  return position
}

function endOfQuotation(
  text: string,
  position: number,
): { readonly kind: 'quoted' | 'string'; readonly end: number } | undefined {
  const first = text[position]
  if (first === "'" || first === '"' || first === '`') {
    return { kind: first === "'" ? 'string' : 'quoted', end: endOfQuoted(text, position, first) }
  }
  const heredoc = endOfMatch(HEREDOC, text, position)
  if (heredoc > position)
    return { kind: 'string', end: endAfter(text, heredoc, text.slice(position, heredoc)) }
  for (const { open, close, kind } of TYPOGRAPHIC_QUOTES) {
    if (text.startsWith(open, position)) return { kind, end: endAfter(text, position + open.length, close) }
  }
  return undefined
}

function endOfQuoted(text: string, start: number, quote: string): number {
  let position = start + 1
  while (position < text.length) {
    const character = text[position]
    if (character === '\\') position += 2
    else if (character !== quote) position += 1
    else if (text[position + 1] === quote) position += 2
    else return position + 1
  }
  return text.length
}

function endAfter(text: string, from: number, closing: string): number {
  const found = text.indexOf(closing, from)
  return found === -1 ? text.length : found + closing.length
}

function endOfMatch(pattern: RegExp, text: string, position: number): number {
  pattern.lastIndex = position
  return pattern.test(text) ? pattern.lastIndex : position
}

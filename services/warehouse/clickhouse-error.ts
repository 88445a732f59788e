/** ClickHouse's own error numbers and names, as far as this interface raises them itself. */
const NAMES = {
  36: 'BAD_ARGUMENTS',
  48: 'NOT_IMPLEMENTED',
  62: 'SYNTAX_ERROR',
  78: 'UNKNOWN_TYPE_OF_QUERY',
  202: 'TOO_MANY_SIMULTANEOUS_QUERIES',
  210: 'NETWORK_ERROR',
  236: 'ABORTED',
  241: 'MEMORY_LIMIT_EXCEEDED',
  243: 'NOT_ENOUGH_SPACE',
  354: 'ZLIB_INFLATE_FAILED',
  516: 'AUTHENTICATION_FAILED',
  1002: 'UNKNOWN_EXCEPTION',
} as const

/** An error as a ClickHouse server answers it: number, name and text. */
export class ClickHouseException extends Error {
  override readonly name = 'ClickHouseException'
  readonly code: number
  readonly type: string

  constructor(code: number, type: string, text: string) {
    super(text)
    this.code = code
    this.type = type
  }
}

/** An error of this interface's own making. */
export function exception(code: keyof typeof NAMES, text: string): ClickHouseException {
  return new ClickHouseException(code, NAMES[code], text)
}

const ENGINE_ERROR = /^Code: (\d+)\. DB::Exception: ([\s\S]*?) ?\(([A-Z][A-Z0-9_]+)\)\s*$/
/** The engine repeats itself around errors that passed through several of its layers. */
const INNER_PREFIX = /^(?:Code: \d+\. DB::Exception: )+/
const INNER_SUFFIX = /(?: ?\([A-Z][A-Z0-9_]+\) \(version [^)]*\)\.?)+$/

/** Takes an engine's message apart; whatever does not look like one becomes UNKNOWN_EXCEPTION with its text. */
export function fromEngineError(error: unknown): ClickHouseException {
  if (error instanceof ClickHouseException) return error
  const message = error instanceof Error ? error.message : String(error)
  const [, code, text, type] = ENGINE_ERROR.exec(message) ?? []
  if (code === undefined || text === undefined || type === undefined) return exception(1002, message)
  return new ClickHouseException(Number(code), type, text.replace(INNER_PREFIX, '').replace(INNER_SUFFIX, ''))
}

/** The body of an error answer, in ClickHouse's words. */
export function errorBody(error: ClickHouseException, version: string): string {
  return `Code: ${error.code}. DB::Exception: ${error.message} (${error.type}) (version ${version})\n`
}

/** By ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; what is not listed is a 500. */
const STATUS_BY_NAME = new Map<string, number>([
  ['REQUIRED_PASSWORD', 401],
  ...byName(403, 'UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED SET_NON_GRANTED_ROLE ACCESS_DENIED'),
  ...byName(
    400,
    `BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE
     CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER
     CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6
     CANNOT_PARSE_INPUT_ASSERTION_FAILED CANNOT_PARSE_UUID DUPLICATE_COLUMN ILLEGAL_COLUMN
     UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST
     UNEXPECTED_AST_STRUCTURE SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE`,
  ),
  ...byName(
    404,
    `UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE
     UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT
     UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE`,
  ),
  ['QUERY_IS_TOO_LARGE', 413],
  ['NOT_IMPLEMENTED', 501],
  ...byName(503, 'SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK'),
  ['TIMEOUT_EXCEEDED', 408],
])

/** The HTTP status that a ClickHouse server chooses for an error. */
export function httpStatus(error: ClickHouseException): number {
  return STATUS_BY_NAME.get(error.type) ?? 500
}

function byName(status: number, names: string): [string, number][] {
  return names.split(/\s+/).map((name) => [name, status])
}

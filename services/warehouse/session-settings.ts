import { exception } from './clickhouse-error.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** What a request says about how its own statement runs. */
export type RequestScope = {
  readonly database?: string | undefined
  /** Settings as they stood in the URL: text, which the engine reads by each setting's type. */
  readonly settings: ReadonlyMap<string, string>
  /** Values of `{name:Type}`, in ClickHouse's escaped form. */
  readonly parameters: ReadonlyMap<string, string>
}

/**
 * The statements that give a fresh connection a request's database, parameters and settings; none when there
 * is nothing to say.
 *
 * They act on that connection alone, which serves one request. Settings come last, because `readonly`
 * would forbid the others.
 */
export function scopeStatements(scope: RequestScope): string[] {
  const statements: string[] = []
  if (scope.database !== undefined) statements.push(`USE ${quoteIdentifier(scope.database)}`)
  const parameters = [...scope.parameters].map(([name, value]) => assignment(name, value, 'param_'))
  if (parameters.length > 0) statements.push(`SET ${parameters.join(', ')}`)
  const settings = [...scope.settings].map(([name, value]) => assignment(name, value))
  if (settings.length > 0) statements.push(`SET ${settings.join(', ')}`)
  return statements
}

/** A string literal in which neither a quote nor a backslash can end the string or begin something else. */
export function quoteString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`
}

function quoteIdentifier(name: string): string {
  if (name.includes('\0')) throw exception(36, 'A name must not hold a NUL character')
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

function assignment(name: string, value: string, prefix = ''): string {
  if (!NAME.test(name)) throw exception(36, `Bad name of a setting or parameter: ${JSON.stringify(name)}`)
  return `${prefix}${name} = ${quoteString(value)}`
}

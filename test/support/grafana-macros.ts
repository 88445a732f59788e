/** A dashboard variable's value: every option, or the chosen ones. */
export type VariableValue = 'all' | readonly string[]

export type MacroContext = {
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly intervalSeconds: number
  readonly variables: Readonly<Record<string, VariableValue>>
}

/**
 * Expands a panel's SQL as Grafana's browser (variables, `$__conditionalAll`) and then the ClickHouse plugin's back
 * end (macros) do. Only what our dashboards use is known; anything else that begins with `$` is an error, because
 * Grafana would leave it in the statement and ClickHouse would refuse it.
 */
export function expandMacros(sql: string, context: MacroContext): string {
  const expanded = expandTimeMacros(expandVariables(expandConditionals(sql, context), context), context)
  const left = /\$\w+|\$\{[^}]*\}/.exec(expanded)
  if (left !== null) throw new Error(`nothing expands ${left[0]} in: ${sql}`)
  return expanded
}

/** `$__conditionalAll(condition, $variable)`: the condition, or 1=1 where the variable is All. Last one first. */
function expandConditionals(sql: string, { variables }: MacroContext): string {
  const name = '$__conditionalAll'
  for (let text = sql; ;) {
    const start = text.lastIndexOf(`${name}(`)
    if (start === -1) return text
    const call = readCall(text, start, name)
    const [condition, variable] = call.args
    if (condition === undefined || variable === undefined || call.args.length !== 2) {
      throw new Error(`${name} needs a condition and a variable: ${call.text}`)
    }
    const value = variables[variable.trim().slice(1)]
    if (value === undefined) throw new Error(`no such variable: ${variable}`)
    text = text.slice(0, start) + (value === 'all' ? '1=1' : condition) + text.slice(start + call.text.length)
  }
}

function expandVariables(sql: string, { variables }: MacroContext): string {
  return sql.replace(/\$\{(\w+):(\w+)\}/g, (found, name: string, format: string) => {
    const value = variables[name]
    if (value === undefined || value === 'all') throw new Error(`${found} has no values`)
    if (format === 'csv') return value.join(',')
    // As Grafana does it: a backslash is left as it is, so a value that ends in one breaks out of its quotes.
    if (format === 'singlequote') return value.map((item) => `'${item.replaceAll("'", "\\'")}'`).join(',')
    throw new Error(`unknown format ${format}`)
  })
}

function expandTimeMacros(sql: string, context: MacroContext): string {
  const { fromSeconds, toSeconds } = context
  const seconds = Math.max(context.intervalSeconds, 1)
  let text = sql
    .replaceAll('$__fromTime', `toDateTime(${fromSeconds})`)
    .replaceAll('$__toTime', `toDateTime(${toSeconds})`)
    .replaceAll('$__interval_s', String(seconds))
  const name = '$__timeInterval'
  for (;;) {
    const start = text.lastIndexOf(`${name}(`)
    if (start === -1) return text
    const call = readCall(text, start, name)
    const bucket = `toStartOfInterval(toDateTime(${call.args.join(',')}), INTERVAL ${seconds} second)`
    text = text.slice(0, start) + bucket + text.slice(start + call.text.length)
  }
}

/** The call of a macro at `start` and its arguments; brackets and commas count even inside quotes, as in the plugin. */
function readCall(text: string, start: number, name: string): { text: string; args: readonly string[] } {
  const open = start + name.length
  const args: string[] = []
  let depth = 0
  let argument = open + 1
  for (let at = open; at < text.length; at += 1) {
    const character = text[at]
    if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    if (depth === 0) {
      args.push(text.slice(argument, at))
      return { text: text.slice(start, at + 1), args }
    }
    if (character === ',' && depth === 1) {
      args.push(text.slice(argument, at))
      argument = at + 1
    }
  }
  throw new Error(`${name} is not closed: ${text.slice(start)}`)
}

import pretty from 'pino-pretty'

/** Width of the column that holds the services' names. */
const NAME_WIDTH = 9
/** pino's number for the level `warn`. */
const WARNING_LEVEL = 40

/**
 * Makes one line of a service's output readable: structured log lines become `name | 12:00:01 INFO message`,
 * or undefined when they are below the wanted level; other lines (an alert printed by the notifier) pass as they are.
 */
export function createLineFormatter(options: {
  readonly colour: boolean
  readonly verbose: boolean
}): (name: string, line: string) => string | undefined {
  const format = pretty.prettyFactory({
    colorize: options.colour,
    ignore: 'pid,hostname,service,name',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
  })
  return (name, line) => {
    const level = levelOf(line)
    if (level === undefined) return line
    if (level < WARNING_LEVEL && !options.verbose) return undefined
    return `${name.padEnd(NAME_WIDTH)} | ${format(line).trimEnd()}`
  }
}

function levelOf(line: string): number | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const entry: unknown = JSON.parse(line)
    if (typeof entry !== 'object' || entry === null || !('level' in entry)) return undefined
    return typeof entry.level === 'number' ? entry.level : undefined
  } catch {
    return undefined
  }
}

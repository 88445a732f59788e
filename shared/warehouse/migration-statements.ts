import { sqlTokens } from './sql-tokens.ts'

export type MigrationVariables = {
  /** Name of the ClickHouse cluster; absent on a single server. */
  readonly cluster?: string | undefined
  readonly rawRetentionDays: number
}

/** Insert tokens that each table remembers; a block is only ever repeated as the newest of its partition. */
const DEDUPLICATION_WINDOW = 10_000

/**
 * Fills in a migration's placeholders for one server or for a cluster.
 *
 * On a cluster the engines are Replicated without a path, so that the server's own default path and its
 * `{uuid}`, `{shard}` and `{replica}` macros apply. A placeholder that does not exist is an error.
 */
export function expandMigration(template: string, variables: MigrationVariables): string {
  const { cluster, rawRetentionDays } = variables
  const window =
    cluster === undefined ? 'non_replicated_deduplication_window' : 'replicated_deduplication_window'
  const values = new Map([
    ['on_cluster', onCluster(cluster)],
    ['engine', cluster === undefined ? '' : 'Replicated'],
    ['engine_arguments', '()'],
    ['raw_retention_days', String(rawRetentionDays)],
    ['deduplication_window', `${window} = ${DEDUPLICATION_WINDOW}`],
  ])
  return template.replace(
    /\{\{([a-z_]+)(?::([a-z_, ]+))?\}\}/g,
    (placeholder, name: string, argument?: string) => {
      if (name === 'engine_arguments' && argument !== undefined) return `(${argument})`
      const value = argument === undefined ? values.get(name) : undefined
      if (value === undefined)
        throw new Error(`the migration has a placeholder that is not known: ${placeholder}`)
      return value
    },
  )
}

/** The clause that sends a definition to every server of the cluster; empty without one. */
export function onCluster(cluster: string | undefined): string {
  return cluster === undefined ? '' : `ON CLUSTER '${cluster}'`
}

/**
 * The statements of a script in order, without their semicolons and the comments between them.
 *
 * A semicolon inside a string, a quoted name or a comment does not end a statement.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = []
  let start: number | undefined
  let end = 0
  const finish = () => {
    if (start !== undefined) statements.push(script.slice(start, end))
    start = undefined
  }
  for (const token of sqlTokens(script)) {
    if (token.kind === 'symbol' && token.text === ';') {
      finish()
      continue
    }
    start ??= token.start
    end = token.end
  }
  finish()
  return statements
}

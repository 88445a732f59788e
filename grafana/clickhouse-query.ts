import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'

/** The plugin version that the queries are written for; docker-compose.yml installs the same. */
export const CLICKHOUSE_PLUGIN_VERSION = '4.20.0'

/** The data source that the dashboard's variable `datasource` chooses. */
export const dataSource = { type: 'grafana-clickhouse-datasource', uid: '${datasource}' }

/** How the plugin frames the rows: 0 turns strings into series labels, 1 leaves the table as it is. */
const formats = { timeseries: 0, table: 1 } as const

/** A query of the ClickHouse data source, for which the SDK has no builder. */
export function clickhouseQuery(kind: keyof typeof formats, rawSql: string): Builder<Dataquery> {
  const query = {
    refId: 'A',
    datasource: dataSource,
    editorType: 'sql',
    queryType: kind,
    format: formats[kind],
    rawSql,
    pluginVersion: CLICKHOUSE_PLUGIN_VERSION,
    // The SDK's mark of a query; functions do not appear in JSON.
    _implementsDataqueryVariant: () => undefined,
  }
  return { build: () => query }
}

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { CLICKHOUSE_PLUGIN_VERSION } from '../../grafana/clickhouse-query.ts'
import { DASHBOARD_FOLDER, renderDashboards } from '../../grafana/render-dashboards.ts'
import { readComposeFile, REPOSITORY } from '../support/compose-file.ts'
import { dashboardFile, type DashboardPanel } from '../support/dashboard-file.ts'
import { expandMacros, type MacroContext } from '../support/grafana-macros.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

const rendered = [...(await renderDashboards())]
const parsed = rendered.map(([, text]) => dashboardFile.parse(JSON.parse(text)))
const schemaFile = `${REPOSITORY}../shared/grafana/dashboard.schema.json`

describe('the committed dashboards', () => {
  it('are what their code makes (npm run dashboards)', async () => {
    const committed = await readdir(`${REPOSITORY}${DASHBOARD_FOLDER}`)
    expect(committed.toSorted()).toEqual(rendered.map(([name]) => name).toSorted())
    for (const [name, text] of rendered) {
      expect(await readFile(`${REPOSITORY}${DASHBOARD_FOLDER}/${name}`, 'utf8')).toBe(text)
    }
  })

  it.each(parsed)('$title: panels have their own ids, do not overlap and stay on the grid', ({ panels }) => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })

  it.each(parsed)('$title: every variable is used, and every panel follows the data source', (dashboard) => {
    const text = JSON.stringify(dashboard.panels)
    for (const { name } of dashboard.templating.list) expect(text).toContain(`\${${name}`)
    for (const panel of dashboard.panels) {
      expect(panel).toMatchObject({ datasource: { uid: '${datasource}' } })
      expect(panel.targets).toMatchObject([{ refId: 'A', datasource: { uid: '${datasource}' } }])
    }
  })

  it('are written for the plugin that Compose installs, and shown by the provisioned data source', async () => {
    const grafana = readComposeFile({ KEYWATCH_DOMAIN: 'hooks.example.com' }).services['grafana']
    const plugin = `grafana-clickhouse-datasource@${CLICKHOUSE_PLUGIN_VERSION}`
    expect(grafana?.environment['GF_PLUGINS_PREINSTALL_SYNC']).toBe(plugin)
    const text = await readFile(`${REPOSITORY}grafana/provisioning/datasources/keywatch.yaml`, 'utf8')
    expect(parse(text)).toMatchObject({
      datasources: [
        {
          type: 'grafana-clickhouse-datasource',
          jsonData: { host: 'clickhouse', port: 8123, username: 'keywatch', defaultDatabase: 'keywatch' },
          secureJsonData: { password: '$__file{/run/secrets/clickhouse_password}' },
        },
      ],
    })
  })
})

const schemaIsHere = existsSync(schemaFile)
if (!schemaIsHere && process.env['CI'] !== 'true') {
  // oxlint-disable-next-line no-console -- nobody should believe that this test has run
  console.warn(`SKIPPED: no ${schemaFile}, so the dashboards are not checked against Grafana's schema.`)
}
describe.skipIf(!schemaIsHere && process.env['CI'] !== 'true')("Grafana's dashboard schema", () => {
  it('accepts every dashboard, and would notice a misspelt field', async () => {
    const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(
      await loosenedSchema(),
    )
    for (const [, text] of rendered) {
      validate(JSON.parse(text))
      expect(validate.errors).toBeNull()
      validate({ ...z.looseObject({}).parse(JSON.parse(text)), refesh: '1m' })
      expect(validate.errors).not.toBeNull()
    }
  })
})

/** The schema says "object" where it means "anything": what depends on the panel's plugin. */
async function loosenedSchema() {
  const definition = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() })
  const schema = z
    .looseObject({ definitions: z.record(z.string(), definition) })
    .parse(JSON.parse(await readFile(schemaFile, 'utf8')))
  for (const [name, field] of [
    ['Panel', 'targets'],
    ['Panel', 'options'],
    ['FieldConfig', 'custom'],
    ['DynamicConfigValue', 'value'],
    ['MatcherConfig', 'options'],
    ['DataTransformerConfig', 'options'],
    ['AnnotationQuery', 'target'],
    ['VariableModel', 'query'],
  ] as const) {
    const properties = schema.definitions[name]?.properties
    if (properties?.[field] === undefined) throw new Error(`the schema has no ${name}.${field}`)
    properties[field] = {}
  }
  return schema
}

describe('the queries of "Usage per key" on the real engine', () => {
  // Noon, so that no range begins or ends at an edge by chance.
  const nowSeconds = Date.UTC(2026, 2, 1, 12, 0, 30) / 1000
  const hostileKey = "x\\') OR 1=1 -- \\"
  let warehouse: TestWarehouse
  let client: ClickHouseClient
  beforeAll(async () => {
    warehouse = await startTestWarehouse()
    await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
    client = createWarehouseClient(warehouse.connection, 'keywatch-test')
    await insertUsage(client, { nowSeconds, hostileKey })
  })
  afterAll(async () => {
    await client.close()
    await warehouse.stop()
  })

  const [dashboard] = parsed
  const panelCalled = (title: string): DashboardPanel => {
    const panel = dashboard?.panels.find((candidate) => candidate.title === title)
    if (panel === undefined) throw new Error(`no panel ${title}`)
    return panel
  }
  const everything = { source: 'all', key: 'all' } as const
  const query = async (sql: string, variables: MacroContext['variables'] = everything) => {
    const result = await client.query({
      query: expandMacros(sql, {
        fromSeconds: nowSeconds - 6 * 3600,
        toSeconds: nowSeconds,
        intervalSeconds: 3600,
        variables,
      }),
      format: 'JSONEachRow',
    })
    return z.array(z.record(z.string(), z.unknown())).parse(await result.json())
  }
  const run = (title: string, variables?: MacroContext['variables']) =>
    query(panelCalled(title).targets[0]?.rawSql ?? '', variables)
  const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase()

  it.each(dashboard?.panels ?? [])(
    '$title answers with rows for everything and for nothing',
    async (panel) => {
      const sql = panel.targets[0]?.rawSql ?? ''
      expect((await query(sql)).length).toBeGreaterThan(0)
      await expect(query(sql, { source: ['main'], key: [hex('nobody')] })).resolves.toBeInstanceOf(Array)
    },
  )

  it('lists sources and keys for the variables, a key as its digits and its name', async () => {
    const [sources, keys] = ['source', 'key'].map((name) => {
      const variable = dashboard?.templating.list.find((candidate) => candidate.name === name)
      return typeof variable?.query === 'object' ? variable.query.rawSql : ''
    })
    expect(await query(sources ?? '')).toEqual([{ source: 'main' }, { source: 'other' }])
    const rows = await query(keys ?? '')
    expect(rows).toContainEqual({ value: hex('billing'), label: 'billing' })
    expect(rows).toContainEqual({ value: hex(hostileKey), label: hostileKey })
    expect(rows.every(({ value }) => /^[0-9A-F]+$/.test(String(value)))).toBe(true)
  })

  it('counts messages per key and hour, the busiest by name and the rest together', async () => {
    const rows = await run('Messages per hour')
    const sums = new Map<unknown, number>()
    for (const { label, rate } of rows) sums.set(label, (sums.get(label) ?? 0) + Number(rate))
    // Twelve small keys of one message each: seven fit beside the three larger ones, five are the rest.
    expect(sums.get('billing')).toBe(120)
    expect(sums.get('newsletter')).toBe(60)
    expect(sums.get(hostileKey)).toBe(10)
    expect([...sums.keys()]).toHaveLength(11)
    expect(sums.get('other')).toBe(5)
    const times = rows.map(({ time }) => String(time))
    expect(times).toEqual(times.toSorted())
  })

  it('shows rates per minute, whatever the bucket', async () => {
    const rows = await run('Messages per minute', { source: 'all', key: [hex('billing')] })
    const perHour = rows.reduce((sum, { rate }) => sum + Number(rate) * 60, 0)
    expect(perHour).toBeCloseTo(120)
  })

  it('gives the chosen key and no other, even one whose name is SQL', async () => {
    const rows = await run('Keys', { source: ['main'], key: [hex(hostileKey)] })
    expect(rows).toMatchObject([{ Source: 'main', Key: hostileKey, Messages: 10 }])
  })

  it('gives shares that add up to one, and totals over the whole range', async () => {
    const shares = await run('Outcomes')
    for (const { delivered, bounced, dropped } of shares) {
      expect(Number(delivered) + Number(bounced) + Number(dropped)).toBeCloseTo(1)
    }
    expect(await run('Messages', { source: ['main'], key: [hex('billing')] })).toMatchObject([
      { messages: 120, keys: 1, delivered: 0.75, bounced: 0.25 },
    ])
  })

  it('gives each key its totals and its first and last use', async () => {
    const rows = await run('Keys')
    expect(rows).toHaveLength(15)
    expect(rows[0]).toEqual({
      Source: 'main',
      Key: 'billing',
      Messages: 120,
      Delivered: 0.75,
      Bounced: 0.25,
      'Spam reports': 0,
      'First seen': '2026-03-01 10:00:00',
      'Last seen': '2026-03-01 11:00:00',
    })
  })

  it('gives the present state of open alerts only, the worst first', async () => {
    const rows = await run('Open alerts')
    expect(rows.map(({ Severity, Key, Summary }) => [Severity, Key, Summary])).toEqual([
      ['critical', 'billing', 'raised'],
      ['warning', '*', 'the whole source'],
    ])
    const chosen = await run('Open alerts', { source: ['main'], key: [hex('newsletter')] })
    expect(chosen.map(({ Key }) => Key)).toEqual(['*'])
  })
})

/** Two busy keys, a hostile one and twelve small ones; one alert raised and open, one resolved, one on a source. */
async function insertUsage(
  client: ClickHouseClient,
  { nowSeconds, hostileKey }: { readonly nowSeconds: number; readonly hostileKey: string },
) {
  const hour = Math.floor(nowSeconds / 3600) * 3600
  const rows: Record<string, unknown>[] = []
  const add = (source: string, key: string, counts: Readonly<Record<string, number>>) => {
    for (const [event, count] of Object.entries(counts)) {
      for (let n = 0; n < count; n += 1) {
        const timestamp = hour - 3600 * (1 + (n % 2))
        rows.push({ source, key, event, timestamp, sg_event_id: `${source} ${key} ${event} ${n}` })
      }
    }
  }
  add('main', 'billing', { processed: 120, delivered: 90, bounce: 30 })
  add('main', 'newsletter', { processed: 60, delivered: 58, dropped: 2 })
  add('main', hostileKey, { processed: 10 })
  for (let n = 10; n < 22; n += 1) add('other', `small-${n}`, { processed: 1 })
  await client.insert({ table: 'events', values: rows, format: 'JSONEachRow' })

  const change = (alert_id: string, revision: number, fields: Readonly<Record<string, unknown>>) => ({
    alert_id,
    revision,
    source: 'main',
    key: 'billing',
    signal: 'volume.spike',
    severity: 'warning',
    status: 'open',
    started_at: '2026-02-01 00:00:00',
    ...fields,
  })
  await client.insert({
    table: 'alert_changes',
    values: [
      change('a', 1, { summary: 'opened' }),
      change('a', 2, { severity: 'critical', summary: 'raised' }),
      change('b', 1, { summary: 'opened' }),
      change('b', 2, { status: 'resolved', summary: 'over' }),
      change('c', 1, { key: '*', signal: 'source.silent', summary: 'the whole source' }),
    ],
    format: 'JSONEachRow',
  })
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseKnowledgeFile } from '#shared/config/knowledge-file.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { knowledgeSchema, type Knowledge } from '#shared/domain/knowledge.ts'
import { insertAlertChanges } from '#shared/warehouse/alert-store.ts'
import { createWarehouseClient, type ClickHouseClient } from '#shared/warehouse/client.ts'
import { toEventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import {
  findKnowledge,
  insertKnowledge,
  loadKnowledge,
  revokeKnowledge,
} from '#shared/warehouse/knowledge-store.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { freePort } from '../support/free-port.ts'
import { runCommand } from '../support/run-command.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { anEventMessage } from '../support/stored-events.ts'

const command = fileURLToPath(new URL('../../cli/keywatch.js', import.meta.url))
const hourAgo = new Date(Date.now() - 3_600_000).toISOString()
let folder: string
let warehouse: TestWarehouse
let client: ClickHouseClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keywatch-knowledge-'))
  warehouse = await startTestWarehouse()
  await migrateWarehouse(warehouse.connection, { rawRetentionDays: 3650 })
  client = createWarehouseClient(warehouse.connection, 'keywatch-tests')
  await storeKeys()
  await storeAlerts()
})
afterAll(async () => {
  await client?.close()
  await warehouse?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** `newsletter` sends on two sources, `orders` on one. */
async function storeKeys() {
  const privacy = createRecipientPrivacy({
    data_directory: '.',
    privacy: { recipients: 'hash', hash_key: 'a key for tests' },
  })
  const rows = [
    { source: 'main', key: 'orders' },
    { source: 'main', key: 'newsletter' },
    { source: 'marketing', key: 'newsletter' },
  ].map((named, index) =>
    toEventRow(
      anEventMessage(
        { sg_event_id: `k${index}`, timestamp: Math.floor(Date.parse(hourAgo) / 1000) - index * 60 },
        named,
      ),
      { partition: 0, offset: index },
      privacy,
    ),
  )
  await insertEvents(client, rows, 'knowledge:1')
}

async function storeAlerts() {
  const times = { started_at: hourAgo, detected_at: hourAgo, changed_at: hourAgo }
  await insertAlertChanges(client, [
    exampleAlert({ ...times, alert_id: 'aaaa1111', incident_id: 'incident-theft', key: 'orders' }),
    exampleAlert({
      ...times,
      alert_id: 'aaaa2222',
      incident_id: 'incident-theft',
      key: 'orders',
      signal: 'novelty.sender',
      severity: 'warning',
    }),
    exampleAlert({
      ...times,
      alert_id: 'bbbb1111',
      incident_id: 'incident-over',
      status: 'resolved',
      ended_at: hourAgo,
      summary: 'Over: \u001b[2Jquiet again.',
    }),
  ])
}

async function keywatch(line: readonly string[], changes: Readonly<Record<string, string>> = {}) {
  const running = runCommand(['node', command, ...line], {
    cwd: folder,
    env: {
      KEYWATCH_DATA_DIRECTORY: folder,
      KEYWATCH_WAREHOUSE__URL: warehouse.url,
      KEYWATCH_WAREHOUSE__PASSWORD: warehouse.connection.password,
      ...changes,
    },
  })
  const status = await running.exited
  return { status, output: running.output() }
}

const stated = z.object({ knowledge: z.array(knowledgeSchema) })
const listed = stated.extend({ keys: z.array(z.object({ source: z.string(), key: z.string() })) })

async function state(...line: readonly string[]): Promise<readonly Knowledge[]> {
  const { status, output } = await keywatch([...line, '--json'])
  expect(output).toMatch(/^\{/)
  expect(status).toBe(0)
  return stated.parse(JSON.parse(output)).knowledge
}

describe('the store of knowledge', () => {
  const base = { source: 'store', key: "it's\n{x:String}", author: 'anna', note: 'näh', revoked: false }
  const facts = [
    {
      kind: 'planned_send',
      from: '2026-12-01T09:00:00.000Z',
      until: '2026-12-01T10:00:00.000Z',
      messages_max: 400_000,
      template: 'd-1',
      category: 'news',
      campaign: '77',
    },
    { kind: 'accept_new_normal', from: '2026-12-01T09:00:00.000Z' },
    {
      kind: 'alert_mark',
      alert_id: 'a1',
      verdict: 'expected',
      alert_started_at: '2026-12-01T09:00:00.000Z',
      alert_ended_at: null,
    },
    { kind: 'retired_key', since: '2026-12-01T09:00:00.123Z' },
  ].map((fact, index) =>
    knowledgeSchema.parse({
      ...base,
      ...fact,
      knowledge_id: `store-${index}`,
      created_at: `2026-11-01T00:00:0${index}.000Z`,
    }),
  )
  const own = async () => (await loadKnowledge(client)).filter(({ source }) => source === 'store')

  it('gives every kind back as it was stated, once, though it was written twice', async () => {
    await insertKnowledge(client, facts)
    await insertKnowledge(client, facts)
    expect(await own()).toEqual(facts)
  })

  it('keeps a fact that was taken back taken back, whatever is written again', async () => {
    const [first, ...others] = facts
    if (first === undefined) throw new Error('there are facts')
    await revokeKnowledge(client, first, { author: 'bert', nowMs: 0 })
    await insertKnowledge(client, [first])
    expect(await own()).toEqual(others)
    expect(await findKnowledge(client, first.knowledge_id)).toEqual({ ...first, revoked: true })
    expect(await findKnowledge(client, 'never')).toBeUndefined()
  })
})

describe('keywatch alerts', () => {
  it('lists incidents, open ones first, each with its signals', async () => {
    const { status, output } = await keywatch(['alerts', 'list'])
    expect(status).toBe(0)
    expect(output.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(/^incident-theft +open +critical +main\/orders +volume\.spike novelty\.sender/),
      expect.stringMatching(/^incident-over +resolved/),
    ])
    const json = await keywatch(['alerts', 'list', '--open', '--json'])
    expect(JSON.parse(json.output)).toMatchObject({
      incidents: [
        { incident_id: 'incident-theft', alerts: [{ alert_id: 'aaaa1111' }, { alert_id: 'aaaa2222' }] },
      ],
      left_out: 0,
    })
  })

  it('shows an incident by the beginning of its id, with nothing that could drive a terminal', async () => {
    const { status, output } = await keywatch(['alerts', 'show', 'incident-ov'])
    expect(status).toBe(0)
    expect(output).toContain('Over: \\u{1b}[2Jquiet again.')
    expect(output).not.toContain('\u001b')
  })

  it('marks one alert by its id and a whole incident by its own, the later mark holding', async () => {
    expect(await state('alerts', 'mark', 'aaaa1111', '--as', 'expected')).toMatchObject([
      { kind: 'alert_mark', alert_id: 'aaaa1111', verdict: 'expected', source: 'main', key: 'orders' },
    ])
    expect(await state('alerts', 'mark', 'incident-theft', '--as', 'true', '--note', 'leaked')).toHaveLength(
      2,
    )
    const { output } = await keywatch(['alerts', 'list'])
    expect(output).toMatch(/^incident-theft .* true$/m)
    expect(output).toMatch(/^incident-over .* –$/m)
  })

  it.each([
    { line: ['mark', 'aaaa1111'], status: 2, says: /--as/ },
    { line: ['mark', 'aaaa1111', '--as', 'maybe'], status: 2, says: /false, expected, true/ },
    { line: ['show', 'aaaa'], status: 0, says: /novelty\.sender/ },
    { line: ['show', 'incident'], status: 2, says: /several incidents.*incident-/ },
    { line: ['show', 'x'], status: 2, says: /first 4 characters/ },
    { line: ['show', 'cccc'], status: 1, says: /no alert and no incident/ },
    { line: ['list', '--since', 'yesterday'], status: 2, says: /--since must be a whole number of days/ },
    { line: ['lsit'], status: 2, says: /list/ },
  ])('ends $line with status $status and says why', async ({ line, status, says }) => {
    const ended = await keywatch(['alerts', ...line])
    expect(ended.output).toMatch(says)
    expect(ended.status).toBe(status)
  })
})

describe('keywatch keys', () => {
  it('plans, accepts and retires on the only source of a key, lists it all, and takes it back', async () => {
    const planned =
      'keys plan orders --from 2026-12-01T09:00+01:00 --until 2026-12-01T12:00Z --messages 400_000 --template d-1'
    const [plan] = await state(...planned.split(' '), '--note', 'winter sale', '--author', 'anna')
    expect(plan).toMatchObject({
      kind: 'planned_send',
      source: 'main',
      key: 'orders',
      from: '2026-12-01T08:00:00.000Z',
      until: '2026-12-01T12:00:00.000Z',
      messages_max: 400_000,
      template: 'd-1',
      author: 'anna',
    })
    const [accepted] = await state('keys', 'accept', 'orders')
    expect(accepted).toMatchObject({ kind: 'accept_new_normal', from: hourAgo })
    await state('keys', 'retire', 'newsletter', '--source', 'marketing')

    const { output } = await keywatch(['keys', 'list'])
    expect(output).toMatch(/^main +orders .* 1$/m)
    expect(output).toMatch(
      /^main +orders +plan: up to 400,000 messages with template d-1, 2026-12-01 08:00 to/m,
    )
    expect(output).toMatch(/^marketing +newsletter +retired since/m)

    expect((await keywatch(['keys', 'undo', plan?.knowledge_id ?? ''])).status).toBe(0)
    expect((await keywatch(['keys', 'undo', plan?.knowledge_id ?? ''])).status).toBe(1)
    const report = listed.parse(
      JSON.parse((await keywatch(['keys', 'list', '--key', 'orders', '--json'])).output),
    )
    expect(report.keys).toEqual([{ source: 'main', key: 'orders' }])
    expect(report.knowledge.map(({ kind }) => kind)).not.toContain('planned_send')
    expect(parseKnowledgeFile(JSON.stringify(report), 'report')).toEqual(report.knowledge)
  })

  it.each([
    {
      line: ['accept', 'newsletter'],
      says: /several sources; say which: --source marketing \| main|main \| marketing/,
    },
    { line: ['accept', 'newsletter', '--source', 'main'], says: /no alert is open.*--from/ },
    { line: ['retire', 'never-seen'], says: /no key never-seen has ever sent/ },
    { line: ['plan', 'orders', '--from', 'now'], says: /--until/ },
    {
      line: ['plan', 'orders', '--from', '2026-12-02', '--until', '2026-12-01', '--messages', 'some'],
      says: /--messages must be a whole number/,
    },
    {
      line: ['plan', 'orders', '--from', '2026-12-02', '--until', '2026-12-01', '--messages', '5'],
      says: /--until must be later than --from/,
    },
  ])('refuses $line with status 2 and says why', async ({ line, says }) => {
    const { status, output } = await keywatch(['keys', ...line])
    expect(output).toMatch(says)
    expect(status).toBe(2)
  })

  it('says what to do when the warehouse is away, or has no schema', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const away = await keywatch(['keys', 'list'], { KEYWATCH_WAREHOUSE__URL: url })
    expect(away.output).toMatch(/does not answer; start it/)
    expect(away.status).toBe(1)
    const empty = await keywatch(['keys', 'list'], { KEYWATCH_WAREHOUSE__DATABASE: 'nothing_here' })
    expect(empty.output).toMatch(/keywatch migrate/)
    expect(empty.status).toBe(1)
  })
})

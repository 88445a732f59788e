import { Readable } from 'node:stream'
import { z } from 'zod'
import { knowledgeSchema, type Knowledge } from '#shared/domain/knowledge.ts'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'

const KNOWLEDGE = sqlFile('knowledge')
const KINDS: readonly Knowledge['kind'][] = ['planned_send', 'accept_new_normal', 'alert_mark', 'retired_key']

const columns = [
  'knowledge_id',
  'kind',
  'source',
  'key',
  'from_time',
  'until_time',
  'payload',
  'author',
  'note',
  'created_at',
  'revoked',
  'revoked_by',
  'revoked_at',
] as const

const INSERT_KNOWLEDGE = `INSERT INTO knowledge (${columns.join(', ')}) SETTINGS async_insert=0 FORMAT JSONEachRow`

/** Keeps facts. One that is written twice is one fact. */
export async function insertKnowledge(client: ClickHouseClient, items: readonly Knowledge[]): Promise<void> {
  await insertRows(client, items, { revoked_by: '', revoked_at: null })
}

/** Takes a fact back, for good: the same fact can be stated again as a new one. */
export async function revokeKnowledge(
  client: ClickHouseClient,
  item: Knowledge,
  given: { readonly author: string; readonly nowMs: number },
): Promise<void> {
  await insertRows(client, [{ ...item, revoked: true }], {
    revoked_by: given.author,
    revoked_at: clickHouseTime(new Date(given.nowMs).toISOString()),
  })
}

/** Every fact that holds, in the order in which they were stated. */
export async function loadKnowledge(client: ClickHouseClient): Promise<Knowledge[]> {
  return (await ask(client, '')).filter(({ revoked }) => !revoked)
}

/** One fact, whether it holds or was taken back. */
export async function findKnowledge(client: ClickHouseClient, id: string): Promise<Knowledge | undefined> {
  return id === '' ? undefined : (await ask(client, id))[0]
}

async function ask(client: ClickHouseClient, id: string): Promise<Knowledge[]> {
  const result = await client.query({
    query: KNOWLEDGE,
    query_params: { kinds: KINDS, id },
    format: 'JSONEachRow',
  })
  return z.array(knowledgeRow).parse(await result.json())
}

async function insertRows(
  client: ClickHouseClient,
  items: readonly Knowledge[],
  revocation: { readonly revoked_by: string; readonly revoked_at: string | null },
): Promise<void> {
  if (items.length === 0) return
  const rows = items.map((item) => JSON.stringify({ ...rowOf(item), ...revocation }))
  const { stream } = await client.exec({
    query: INSERT_KNOWLEDGE,
    values: Readable.from([Buffer.from(rows.join('\n'), 'utf8')]),
  })
  for await (const _chunk of stream) {
    // Nothing comes back from an insert; the end of the answer says that it is done.
  }
}

function rowOf(item: Knowledge) {
  const { knowledge_id, kind, source, key, author, note } = item
  const { from, until, payload } = partsOf(item)
  return {
    knowledge_id,
    kind,
    source,
    key,
    from_time: from === null ? null : clickHouseTime(from),
    until_time: until === null ? null : clickHouseTime(until),
    payload: JSON.stringify(payload),
    author,
    note,
    created_at: clickHouseTime(item.created_at),
    revoked: item.revoked ? 1 : 0,
  }
}

function partsOf(item: Knowledge): { from: string | null; until: string | null; payload: object } {
  switch (item.kind) {
    case 'planned_send': {
      const { from, until, messages_max, template, category, campaign } = item
      return { from, until, payload: { messages_max, template, category, campaign } }
    }
    case 'accept_new_normal':
      return { from: item.from, until: null, payload: {} }
    case 'alert_mark':
      return {
        from: item.alert_started_at,
        until: item.alert_ended_at,
        payload: { alert_id: item.alert_id, verdict: item.verdict },
      }
    case 'retired_key':
      return { from: item.since, until: null, payload: {} }
    default:
      return item satisfies never
  }
}

/** ClickHouse's `YYYY-MM-DD hh:mm:ss.mmm` of an ISO time, both UTC. */
function clickHouseTime(iso: string): string {
  return new Date(iso).toISOString().slice(0, 23).replace('T', ' ')
}

const time = z.string().transform((text) => `${text.replace(' ', 'T')}Z`)

/** The names that a kind gives to the two times of a row. */
const timesOf = (kind: string, from: string | null, until: string | null) => {
  if (kind === 'alert_mark') return { alert_started_at: from, alert_ended_at: until }
  if (kind === 'retired_key') return { since: from }
  return { from, until }
}

const knowledgeRow = z
  .object({
    knowledge_id: z.string(),
    kind: z.string(),
    source: z.string(),
    key: z.string(),
    from_time: time.nullable(),
    until_time: time.nullable(),
    payload: z.string().transform((text) => z.record(z.string(), z.json()).parse(JSON.parse(text))),
    author: z.string(),
    note: z.string(),
    created_at: time,
    revoked: z.coerce.number(),
  })
  .transform(({ from_time, until_time, payload, revoked, ...row }) =>
    knowledgeSchema.parse({
      ...payload,
      ...row,
      ...timesOf(row.kind, from_time, until_time),
      revoked: revoked === 1,
    }),
  )

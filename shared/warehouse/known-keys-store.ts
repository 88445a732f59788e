import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'

const KNOWN_KEYS = sqlFile('known-keys')

const knownKeyRow = z.object({
  source: z.string(),
  key: z.string(),
  /** Seconds since the epoch. */
  first_seen: z.coerce.number(),
  last_seen: z.coerce.number(),
  /** Of the last seven days. */
  messages: z.coerce.number(),
})
export type KnownKey = z.output<typeof knownKeyRow>

/** Keys that have sent, the one that sent last first; all of them, or those of one source or one name. */
export async function knownKeys(
  client: ClickHouseClient,
  wanted: { readonly source?: string | undefined; readonly key?: string | undefined; readonly limit: number },
): Promise<KnownKey[]> {
  const result = await client.query({
    query: KNOWN_KEYS,
    query_params: { source: wanted.source ?? '', key: wanted.key ?? '', limit: wanted.limit },
    format: 'JSONEachRow',
  })
  return z.array(knownKeyRow).parse(await result.json())
}

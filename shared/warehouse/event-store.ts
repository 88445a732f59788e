import { Readable } from 'node:stream'
import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import { eventColumns, type EventRow } from './event-row.ts'

/** A token becomes part of the statement's text, so it may hold nothing that could end a quoted string. */
const TOKEN = /^[A-Za-z0-9._:-]{1,200}$/

/**
 * Settings go into the statement: an embedded engine keeps settings sent beside it for later statements, and a
 * stale token would drop rows silently. One block per statement and partition of the table, because the token
 * is remembered per block: no parallel parsing, no cutting below the size of any block of ours, no asynchronous
 * collecting of several inserts.
 */
const insertStatement = (token: string) =>
  `INSERT INTO events (${eventColumns.join(', ')}) SETTINGS insert_deduplication_token='${token}', ` +
  'insert_deduplicate=1, deduplicate_blocks_in_dependent_materialized_views=1, async_insert=0, ' +
  'input_format_parallel_parsing=0, max_insert_threads=1, max_insert_block_size=1048576, ' +
  'min_insert_block_size_rows=1048576, min_insert_block_size_bytes=1073741824, ' +
  'max_partitions_per_insert_block=0 FORMAT JSONEachRow'

/**
 * Stores one block of events and, through the views, its rollups. At most 100,000 rows.
 *
 * `token` names the block: the same rows inserted again under the same token change nothing, except that rollups
 * a crash left out are filled in. Never use a token for other rows: they would be dropped silently. A rejection
 * means unknown; try the identical call again until it resolves.
 */
export async function insertEvents(
  client: ClickHouseClient,
  rows: readonly EventRow[],
  token: string,
): Promise<void> {
  if (!TOKEN.test(token)) throw new RangeError('a deduplication token holds letters, digits and ._:- only')
  if (rows.length === 0) return
  const body = rows.map((row) => JSON.stringify(row)).join('\n')
  const { stream } = await client.exec({
    query: insertStatement(token),
    values: Readable.from([Buffer.from(body, 'utf8')]),
  })
  for await (const _chunk of stream) {
    // Nothing comes back from an insert; the end of the answer says that it is done.
  }
}

/** What identifies a stored event: a redelivery is the same event with the same source, time and id. */
export type EventIdentity = Pick<EventRow, 'source' | 'timestamp' | 'sg_event_id'>

/** The rows that one block of the log has stored, or had begun to store before a crash. */
export type BlockPosition = {
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
}

/** Text that is the same for two identities exactly when they are the same event. */
export function identityOf({ source, timestamp, sg_event_id }: EventIdentity): string {
  return `${source} ${timestamp} ${sg_event_id}`
}

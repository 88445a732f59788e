import { Readable } from 'node:stream'
import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import { eventColumns, type EventRow } from './event-row.ts'
import { sqlFile } from './sql-file.ts'
import { statementValue } from './statement-value.ts'

const FIND_STORED_EVENTS = sqlFile('find-stored-events')

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
  'max_partitions_per_insert_block=0 FORMAT JSONCompactEachRow'

/**
 * Stores one block of events and, through the views, its rollups. At most 100,000 rows.
 *
 * `token` names the block: the same rows inserted again under the same token change nothing, except that rollups
 * a crash left out are filled in. Never use a token for other rows: they would be dropped silently. A rejection
 * means unknown; try the identical call again until it resolves.
 */
export function insertEvents(
  client: ClickHouseClient,
  rows: readonly EventRow[],
  token: string,
): Promise<void> {
  return insertLines(client, rows.map(lineOf), token)
}

/** The same for rows that are lines already (`lineOf`), which take a fifth of a row's memory. */
export async function insertLines(
  client: ClickHouseClient,
  lines: readonly string[],
  token: string,
): Promise<void> {
  if (!TOKEN.test(token)) throw new RangeError('a deduplication token holds letters, digits and ._:- only')
  if (lines.length === 0) return
  const { stream } = await client.exec({
    query: insertStatement(token),
    values: Readable.from(inPieces(lines)),
  })
  for await (const _chunk of stream) {
    // Nothing comes back from an insert; the end of the answer says that it is done.
  }
}

/**
 * A row as it is inserted: a line with a JSON array, columns in the order of `eventColumns`. Names of columns would
 * make half of the line, and the engine would read them all.
 */
export function lineOf(row: EventRow): string {
  return `${JSON.stringify(eventColumns.map((column) => row[column]))}\n`
}

/** Bytes of a piece of the body: enough that the pieces cost nothing. */
const PIECE_BYTES = 1024 * 1024
/** UTF-8 takes at most three bytes for one unit of UTF-16. */
const BYTES_PER_UNIT = 3

/**
 * The body in pieces of about a megabyte: a block of the largest events exceeds the longest string that there can
 * be, and a block that cannot be written would stop its partition for good.
 */
export function* inPieces(lines: readonly string[]): Generator<Buffer, void, void> {
  let piece = Buffer.allocUnsafe(PIECE_BYTES)
  let bytes = 0
  for (const line of lines) {
    if (line.length * BYTES_PER_UNIT > piece.length - bytes) {
      if (bytes > 0) yield piece.subarray(0, bytes)
      piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, line.length * BYTES_PER_UNIT))
      bytes = 0
    }
    bytes += piece.write(line, bytes, 'utf8')
  }
  if (bytes > 0) yield piece.subarray(0, bytes)
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

/** ClickHouse reads a statement of at most 256 KiB (`max_query_size`); base64 makes 4 characters of 3 bytes. */
const CHUNK_BYTES_MAX = 180_000
/** A timestamp with its comma. */
const TIMESTAMP_BYTES = 11

const storedRow = z.object({ source: z.string(), timestamp: z.number(), sg_event_id: z.string() })

/**
 * Which of the candidates are stored already, as `identityOf` texts.
 *
 * `ignoring` is for one case only: a block that may have been stored in part before a crash is stored again, and
 * its own rows are no duplicates. Never pass it for a fresh block: a position that was set back would then count
 * events twice.
 */
export async function findStoredEvents(
  client: ClickHouseClient,
  candidates: readonly EventIdentity[],
  ignoring?: BlockPosition,
): Promise<Set<string>> {
  const wanted = new Set(candidates.map(identityOf))
  const stored = new Set<string>()
  for (const chunk of inChunks(candidates)) {
    const result = await client.query({
      query: FIND_STORED_EVENTS.replace(
        'SOURCES_BASE64',
        statementValue(distinct(chunk.map((event) => event.source))),
      )
        .replace('TIMESTAMPS_BASE64', statementValue(distinct(chunk.map((event) => event.timestamp))))
        .replace('IDS_BASE64', statementValue(distinct(chunk.map((event) => event.sg_event_id)))),
      query_params: {
        partition: ignoring?.partition ?? 0,
        // Without a block to ignore the range is empty.
        firstOffset: ignoring?.firstOffset ?? 1,
        lastOffset: ignoring?.lastOffset ?? 0,
      },
      format: 'JSONEachRow',
    })
    for (const row of z.array(storedRow).parse(await result.json())) {
      // The statement asks for every combination of these sources, times and ids.
      const identity = identityOf(row)
      if (wanted.has(identity)) stored.add(identity)
    }
  }
  return stored
}

/**
 * As much as one statement holds, in order of time, so that each look-up touches few parts of the table; the times of
 * one chunk are at most `spanSecondsMax` apart.
 */
export function* inChunks(
  candidates: readonly EventIdentity[],
  spanSecondsMax = Infinity,
): Generator<readonly EventIdentity[]> {
  const sorted = candidates.toSorted((a, b) => a.timestamp - b.timestamp)
  let chunk: EventIdentity[] = []
  let bytes = 0
  for (const candidate of sorted) {
    const size = TIMESTAMP_BYTES + jsonBytes(candidate.sg_event_id) + jsonBytes(candidate.source)
    const spanSeconds = candidate.timestamp - (chunk.at(0)?.timestamp ?? candidate.timestamp)
    if (chunk.length > 0 && (bytes + size > CHUNK_BYTES_MAX || spanSeconds > spanSecondsMax)) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(candidate)
    bytes += size
  }
  if (chunk.length > 0) yield chunk
}

/** Text of these characters is the same in JSON; nearly all ids are such text. */
const PLAIN = /^[\w.:+/=-]*$/
/** Quotes and a comma. */
const JSON_BYTES = 3

/** How many bytes a text takes in a JSON array, at most. */
function jsonBytes(text: string): number {
  if (PLAIN.test(text)) return text.length + JSON_BYTES
  return Buffer.byteLength(JSON.stringify(text), 'utf8') + 1
}

function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)]
}

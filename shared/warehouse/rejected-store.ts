import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { RejectedMessage } from '#shared/domain/log-message.ts'
import { cutText } from '#shared/domain/normalise-text.ts'
import type { ClickHouseClient } from './client.ts'
import { maskAddresses } from './mask-addresses.ts'

/** One row of `rejected`. */
export type RejectedRow = {
  readonly source: string
  readonly received_at: string
  readonly rejected_id: string
  readonly scope: 'body' | 'event'
  readonly reason: string
  readonly detail: string
  readonly payload: string
  readonly log_partition: number
  readonly log_offset: number
}

type Position = { readonly partition: number; readonly offset: number }

const PAYLOAD_BYTES_MAX = 8192
const DETAIL_MAX = 500
const NAME_MAX = 256
/** 2100-01-01, milliseconds. */
const INSTANT_MAX = 4_102_444_800_000

const INSERT_REJECTED =
  'INSERT INTO rejected (source, received_at, rejected_id, scope, reason, detail, payload, log_partition, log_offset) ' +
  'SETTINGS async_insert=0 FORMAT JSONEachRow'

/** What ingest rejected, as it is shown: addresses masked, cut to 8 KiB. The bytes stay in the log. */
export function toRejectedRow(message: RejectedMessage, position: Position): RejectedRow {
  return {
    source: cutText(message.source, NAME_MAX),
    received_at: instant(message.received_at),
    rejected_id: cutText(message.rejected_id, NAME_MAX),
    scope: message.scope,
    reason: message.reason,
    detail: cutText(maskAddresses(message.detail), DETAIL_MAX),
    payload: shown(Buffer.from(message.payload_base64, 'base64')),
    log_partition: position.partition,
    log_offset: position.offset,
  }
}

/** A record of the log that is no message of ours at all. */
export function unreadableRow(
  record: { readonly value: Uint8Array; readonly appendedAtMs: number; readonly detail: string },
  position: Position,
): RejectedRow {
  const value = Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength)
  return {
    source: 'unknown',
    received_at: instant(record.appendedAtMs),
    rejected_id: createHash('sha256').update(value).digest('hex'),
    scope: 'event',
    reason: 'schema',
    detail: cutText(maskAddresses(record.detail), DETAIL_MAX),
    payload: shown(value),
    log_partition: position.partition,
    log_offset: position.offset,
  }
}

/** Keeps rejected input; a row written twice, or delivered again by SendGrid, is one row. */
export async function insertRejected(client: ClickHouseClient, rows: readonly RejectedRow[]): Promise<void> {
  if (rows.length === 0) return
  const body = rows.map((row) => JSON.stringify(row)).join('\n')
  const { stream } = await client.exec({
    query: INSERT_REJECTED,
    values: Readable.from([Buffer.from(body, 'utf8')]),
  })
  for await (const _chunk of stream) {
    // Nothing comes back from an insert; the end of the answer says that it is done.
  }
}

/** Masked whole before it is cut: a cut could part a local part from the `@` that gives it away. */
function shown(bytes: Buffer): string {
  const masked = Buffer.from(maskAddresses(bytes.toString('utf8')), 'utf8')
  if (masked.length <= PAYLOAD_BYTES_MAX) return masked.toString('utf8')
  // A character cut in two would come back as U+FFFD, which is three bytes.
  return masked.subarray(0, PAYLOAD_BYTES_MAX - 3).toString('utf8')
}

function instant(milliseconds: number): string {
  const bounded = Math.min(Math.max(0, milliseconds), INSTANT_MAX)
  return new Date(bounded).toISOString().slice(0, 23).replace('T', ' ')
}

import type { NewRecord } from '#shared/event-log/event-log.ts'
import { sha256Hex } from '#shared/domain/canonical-json.ts'
import type { RejectedMessage } from '#shared/domain/log-message.ts'

/**
 * Longest payload that is kept. Kafka refuses records above 1 MiB by default, and base64 makes four bytes of three;
 * SendGrid's bodies are smaller in practice.
 */
const PAYLOAD_BYTES_MAX = 700 * 1024
const DETAIL_UNITS_MAX = 500

/** The record of something signed that is no event. Its id is a hash of source and bytes: a redelivery is the same. */
export function rejectedRecord(
  fault: Pick<RejectedMessage, 'source' | 'received_at' | 'scope' | 'reason' | 'detail'>,
  bytes: Uint8Array,
): NewRecord {
  const hash = sha256Hex(bytes)
  const note = bytes.length > PAYLOAD_BYTES_MAX ? ` (cut from ${bytes.length} bytes with sha256 ${hash})` : ''
  const message: RejectedMessage = {
    v: 1,
    rejected_id: sha256Hex(`${fault.source}\n${hash}`),
    source: fault.source,
    received_at: fault.received_at,
    scope: fault.scope,
    reason: fault.reason,
    detail: fault.detail.slice(0, DETAIL_UNITS_MAX - note.length) + note,
    payload_base64: Buffer.from(bytes.subarray(0, PAYLOAD_BYTES_MAX)).toString('base64'),
  }
  return { key: message.rejected_id, value: JSON.stringify(message) }
}

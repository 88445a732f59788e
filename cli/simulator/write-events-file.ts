import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { ARRIVAL_DELAY_MS } from './event-message.ts'
import type { SimulatedEvent } from './event-stream.ts'
import type { ArrivedEvent } from './scenarios/in-order-of-arrival.ts'

/** Events without a way of their own: each arrives when SendGrid's events usually do. */
export function* arriveAsUsual(
  events: Iterable<SimulatedEvent<string>>,
): Generator<ArrivedEvent, void, undefined> {
  for (const { atMs, source, event } of events) {
    yield { received_at_ms: atMs + ARRIVAL_DELAY_MS, source, event }
  }
}

/** Lines are handed on in pieces of this many: one by one they would cost more than they are. */
const LINES_PER_CHUNK = 500

/**
 * Writes one line `{"received_at": <epoch seconds>, "source": …, "event": …}` per event, in order of arrival, and
 * resolves with their number. Compressed with gzip when the name ends in `.gz`.
 */
export async function writeEventsFile(file: string, events: Iterable<ArrivedEvent>): Promise<number> {
  let count = 0
  function* chunks() {
    let lines = ''
    for (const { received_at_ms: receivedAtMs, source, event } of events) {
      lines += `${JSON.stringify({ received_at: receivedAtMs / 1000, source, event })}\n`
      count += 1
      if (count % LINES_PER_CHUNK > 0) continue
      yield lines
      lines = ''
    }
    if (lines !== '') yield lines
  }
  const out = createWriteStream(file)
  const source = Readable.from(chunks())
  await (file.endsWith('.gz') ? pipeline(source, createGzip(), out) : pipeline(source, out))
  return count
}

import { setTimeout as wait } from 'node:timers/promises'
import type { EventMessage } from '#shared/domain/log-message.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { toEventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { postWebhook, webhookBody, type WebhookSigner } from './signed-webhook.ts'

export const VICTIM = 'storefront'
const HOUR_SECONDS = 3600
const FOLLOW_UPS = ['processed', 'delivered', 'open'] as const

/** A small well-known generator (mulberry32), so that a run can be repeated from its seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export type TestEvent = Readonly<Record<string, unknown>> & { readonly sg_event_id: string }

/**
 * `total` events of 30 keys over the last 20 hours, of which `spike` are `processed` events of one key in the last
 * two minutes: far more than its history explains. In order of time.
 */
export function makeEvents(options: {
  readonly total: number
  readonly spike: number
  readonly nowSeconds: number
  readonly random: () => number
}): TestEvent[] {
  const { total, spike, nowSeconds, random } = options
  const everyday = Array.from({ length: total - spike }, (_, index) =>
    event({
      id: `everyday-${index}`,
      key: `key-${Math.floor(random() * 30)}`,
      type: FOLLOW_UPS[index % FOLLOW_UPS.length] ?? 'processed',
      timestamp: nowSeconds - Math.floor(random() * 20 * HOUR_SECONDS),
    }),
  ).toSorted((a, b) => a.timestamp - b.timestamp)
  const burst = Array.from({ length: spike }, (_, index) =>
    event({
      id: `burst-${index}`,
      key: VICTIM,
      type: 'processed',
      timestamp: nowSeconds - Math.floor(random() * 100),
    }),
  )
  return [...everyday, ...burst]
}

function event(options: { id: string; key: string; type: string; timestamp: number }) {
  const { id, key, type, timestamp } = options
  return {
    email: `${id}@example.org`,
    timestamp,
    event: type,
    sg_event_id: id,
    sg_message_id: `${id}.filter0001.1.1`,
    'smtp-id': `<${id}@mail.example.com>`,
    category: ['receipts'],
    api_key_id: key,
  }
}

/** Four weeks in which the victim sends about 20 messages every hour, day and night, straight into the warehouse. */
export async function insertVictimHistory(warehouse: ClickHouseClient, nowSeconds: number): Promise<void> {
  const privacy = createRecipientPrivacy({
    privacy: { recipients: 'hash', hash_key: 'b2'.repeat(32) },
    data_directory: '.',
  })
  const random = seededRandom(7)
  const rows = []
  const hours = 28 * 24
  for (let hour = hours; hour > 2; hour -= 1) {
    const count = 15 + Math.floor(random() * 11)
    for (let index = 0; index < count; index += 1) {
      const timestamp = nowSeconds - hour * HOUR_SECONDS + Math.floor(random() * HOUR_SECONDS)
      const message: EventMessage = {
        v: 1,
        key: VICTIM,
        attribution: { rule: 'custom_arg' },
        source: 'main',
        received_at: timestamp * 1000,
        event: { ...event({ id: `history-${hour}-${index}`, key: VICTIM, type: 'processed', timestamp }) },
      }
      rows.push(toEventRow(message, { partition: 0, offset: 0 }, privacy))
    }
  }
  for (let start = 0; start < rows.length; start += 5000) {
    await insertEvents(warehouse, rows.slice(start, start + 5000), `history:${start}`)
  }
}

/**
 * Posts the events as SendGrid would: signed requests of 1 to 300 events, one in ten delivered twice, each repeated
 * until it is answered with 2xx. `afterRequest` runs between requests and may kill something.
 */
export async function postAll(options: {
  readonly events: readonly TestEvent[]
  readonly signer: WebhookSigner
  readonly port: number
  readonly random: () => number
  readonly afterRequest?: (posted: number) => Promise<void>
}): Promise<{ readonly requests: number }> {
  const { events, random, afterRequest } = options
  let requests = 0
  for (let start = 0; start < events.length;) {
    const batch = events.slice(start, start + 1 + Math.floor(random() * 300))
    const copies = random() < 0.1 ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) await postUntilTaken(options, batch)
    requests += copies
    start += batch.length
    await afterRequest?.(start)
  }
  return { requests }
}

/** SendGrid waits minutes between its tries; a test only needs to let a killed service come back. */
const RETRY_MS = 100
const TRIES_MAX = 600

async function postUntilTaken(
  target: { readonly signer: WebhookSigner; readonly port: number },
  batch: readonly TestEvent[],
): Promise<void> {
  const body = webhookBody(batch)
  let last = 'never tried'
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    try {
      const answer = await postWebhook({
        port: target.port,
        source: 'main',
        body,
        headers: target.signer.headers(body),
      })
      if (answer.status >= 200 && answer.status < 300) return
      last = `${answer.status} ${answer.text}`
      if (answer.status < 500) break
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
    await wait(RETRY_MS)
  }
  throw new Error(`a request was never taken: ${last}`)
}

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  loadPublicKey,
  SIGNATURE_HEADER,
  TIMESTAMP_HEADER,
  verifyWebhook,
} from '#shared/domain/webhook-signature.ts'
import { listen } from '#shared/http/listen.ts'
import { generateEvents } from '../../cli/simulator/event-stream.ts'
import { defaultFleet } from '../../cli/simulator/fleet.ts'
import { readPosition, writePosition } from '../../cli/simulator/position.ts'
import {
  simulateLive,
  type LiveReport,
  type LiveSimulationOptions,
} from '../../cli/simulator/simulate-live.ts'
import { ensureSimulatorKeys, simulatorSourcesConfig } from '../../cli/simulator/sources.ts'
import { eventually } from '../support/eventually.ts'

const HOUR_MS = 3_600_000
const NOW_MS = Date.UTC(2026, 2, 4, 12)
const bodySchema = z.array(z.looseObject({ sg_event_id: z.string(), timestamp: z.number() }))

type Receiver = {
  readonly url: string
  /** Event ids by source, in order of arrival, only of requests that were answered 200. */
  readonly ids: Map<string, string[]>
  readonly refused: () => number
  /** Answers this status until told otherwise. */
  answer: (status: number) => void
}

let directory: string
let receiver: Receiver
let stops: (() => Promise<void>)[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-live-'))
  stops = []
  receiver = await startReceiver()
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await rm(directory, { recursive: true, force: true })
})

/** What ingest is to SendGrid: takes signed bodies, and refuses those whose signature is not the source's. */
async function startReceiver(): Promise<Receiver> {
  const sources = new Map(Object.entries(simulatorSourcesConfig(await ensureSimulatorKeys(directory))))
  const ids = new Map<string, string[]>()
  let status = 200
  let refused = 0
  const handle = async (request: IncomingMessage) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const body = Buffer.concat(chunks)
    const source = request.url?.split('/').at(-1) ?? ''
    const verification = verifyWebhook({
      keys: (sources.get(source)?.public_keys ?? []).map(loadPublicKey),
      signature: String(request.headers[SIGNATURE_HEADER]),
      timestamp: String(request.headers[TIMESTAMP_HEADER]),
      body,
      nowMs: NOW_MS,
      maxAgeSeconds: 60,
      maxFutureSeconds: 60,
    })
    if (verification.kind === 'refused') return 401
    if (status !== 200) {
      refused += 1
      return status
    }
    const events = bodySchema.parse(JSON.parse(body.toString('utf8')))
    ids.set(source, [...(ids.get(source) ?? []), ...events.map((event) => event.sg_event_id)])
    return 200
  }
  const server = createServer((request, response) => {
    handle(request).then(
      (answer) => response.writeHead(answer).end(),
      () => response.writeHead(500).end(),
    )
  })
  const { port, stop } = await listen(server, { host: '127.0.0.1', port: 0 })
  stops.push(stop)
  const answer = (next: number) => {
    status = next
  }
  return { url: `http://127.0.0.1:${port}`, ids, refused: () => refused, answer }
}

/** A run whose clock stands still, so that what is due is a fixed set of events. */
function startRun(more: Partial<LiveSimulationOptions> = {}) {
  const controller = new AbortController()
  const reports: LiveReport[] = []
  const ended = simulateLive({
    dataDirectory: directory,
    ingestUrl: receiver.url,
    seed: 1,
    rate: 1,
    now: () => NOW_MS,
    signal: controller.signal,
    report: (report) => reports.push(report),
    ...more,
  })
  const stop = async () => {
    controller.abort()
    await ended
  }
  return { reports, stop }
}

const expected = (fromMs: number, toMs: number) => [
  ...generateEvents({ profiles: defaultFleet, seed: 1, rate: 1, fromMs, toMs }),
]
const received = () => [...receiver.ids.values()].flat()
/** Events are posted two seconds after they happened. */
const DUE_UNTIL_MS = NOW_MS - 2000

describe('simulateLive', () => {
  it('posts exactly the events that are due, signed, each to its source and in order', async () => {
    const fromMs = NOW_MS - 3 * HOUR_MS
    await writePosition(directory, { v: 1, delivered_until_ms: fromMs, posting_until_ms: fromMs })
    const run = startRun()
    const due = expected(fromMs, DUE_UNTIL_MS)
    await eventually(() => new Set(received()).size >= due.length, {
      timeoutMs: 20_000,
      what: 'all events arrive',
    })
    await run.stop()
    for (const source of ['main', 'billing', 'marketing']) {
      const ids = due.filter((event) => event.source === source).map(({ event }) => event.sg_event_id)
      expect([...new Set(receiver.ids.get(source) ?? [])]).toEqual(ids)
    }
    expect(await readPosition(directory)).toMatchObject({ delivered_until_ms: DUE_UNTIL_MS })
  })

  it('posts again what ingest refused, and a run that was stopped meanwhile leaves nothing out', async () => {
    const fromMs = NOW_MS - HOUR_MS
    await writePosition(directory, { v: 1, delivered_until_ms: fromMs, posting_until_ms: fromMs })
    receiver.answer(503)
    const first = startRun()
    await eventually(() => receiver.refused() >= 2, { timeoutMs: 20_000, what: 'a second try' })
    await first.stop()
    expect(received()).toEqual([])
    expect(first.reports).toContainEqual(
      expect.objectContaining({
        kind: 'delivery_problem',
        problem: expect.objectContaining({ status: 503 }),
      }),
    )
    receiver.answer(200)
    const second = startRun()
    const due = expected(fromMs, DUE_UNTIL_MS).map(({ event }) => event.sg_event_id)
    await eventually(() => new Set(received()).size >= due.length, {
      timeoutMs: 20_000,
      what: 'all events arrive',
    })
    await second.stop()
    expect(new Set(received())).toEqual(new Set(due))
  })

  it('steals the key when it is time, and writes down which messages are the thief’s', async () => {
    const labelsFile = join(directory, 'labels.ndjson')
    const startMs = NOW_MS
    let nowMs = startMs
    const run = startRun({
      now: () => nowMs,
      labelsFile,
      attack: { attack: 'stolen-key', key: 'billing-invoices', afterMs: 10_000, durationMs: 20_000 },
    })
    await eventually(() => run.reports.some(({ kind }) => kind === 'started'), {
      timeoutMs: 5000,
      what: 'the start',
    })
    nowMs = startMs + 25_000
    await eventually(() => run.reports.some(({ kind }) => kind === 'attack_started'), {
      timeoutMs: 10_000,
      what: 'the attack begins',
    })
    nowMs = startMs + 50_000
    await eventually(() => run.reports.some(({ kind }) => kind === 'attack_ended'), {
      timeoutMs: 10_000,
      what: 'the attack ends',
    })
    await run.stop()
    const label = z
      .object({ key: z.string(), messages: z.number(), message_ids: z.array(z.string()) })
      .parse(JSON.parse(await readFile(labelsFile, 'utf8')))
    expect(label.key).toBe('billing-invoices')
    expect(label.messages).toBeGreaterThanOrEqual(80)
    expect(label.message_ids).toHaveLength(label.messages)
    expect(receiver.ids.get('billing')?.length).toBeGreaterThan(label.messages)
  })
})

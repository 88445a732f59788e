import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { pino } from 'pino'
import { configSchema } from '#shared/config/config.ts'
import {
  eventMessageSchema,
  rejectedMessageSchema,
  type EventMessage,
  type RejectedMessage,
} from '#shared/domain/log-message.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { startIngest } from '../../services/ingest/ingest.ts'
import { createWebhookSigner, postWebhook, type WebhookAnswer, type WebhookSigner } from './signed-webhook.ts'

export type IngestHarness = {
  readonly port: number
  readonly signer: WebhookSigner
  /** Posts a body to source `main`, signed now; `headers` come on top, a header set to undefined is left out. */
  readonly post: (
    body: string | Uint8Array,
    options?: {
      readonly source?: string
      readonly headers?: { readonly [name: string]: string | undefined }
      readonly timestampSeconds?: number
    },
  ) => Promise<WebhookAnswer>
  /** Everything in the log so far, each message checked against its contract. */
  readonly events: () => Promise<EventMessage[]>
  readonly rejected: () => Promise<RejectedMessage[]>
  /** The value of one line of `/metrics`, 0 if it is not there. */
  readonly metric: (line: string) => Promise<number>
  readonly admin: (path: string) => Promise<Response>
  readonly stop: () => Promise<void>
}

/**
 * Ingest in this process, with a real `file:` log in a directory of its own. `sources` replaces the one source `main`;
 * `append` stands before the log's own, to make it fail or wait.
 */
export async function startIngestHarness(
  options: {
    readonly sources?: { readonly [name: string]: unknown }
    readonly signer?: WebhookSigner
    readonly ingest?: { readonly [name: string]: unknown }
    readonly stopDeadlineMs?: number
    readonly beforeAppend?: () => Promise<void>
    readonly nowMs?: () => number
  } = {},
): Promise<IngestHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'keywatch-ingest-'))
  const signer = options.signer ?? createWebhookSigner()
  const config = configSchema.parse({
    data_directory: directory,
    event_log: { partitions: 2 },
    sources: options.sources ?? { main: { public_keys: [signer.publicKey] } },
    stop_deadline_ms: options.stopDeadlineMs ?? 5000,
    ingest: { listen: '127.0.0.1:0', admin_listen: '127.0.0.1:0', ...options.ingest },
  })
  const log = pino({ level: 'silent' })
  const eventLog = await openEventLog(config.event_log, { log, clientId: 'test' })
  const ingest = await startIngest({
    config,
    log,
    eventLog: {
      health: () => eventLog.health(),
      append: async (topic, records) => {
        await options.beforeAppend?.()
        await eventLog.append(topic, records)
      },
    },
    ...(options.nowMs === undefined ? {} : { nowMs: options.nowMs }),
  })
  const admin = (path: string) => fetch(`http://127.0.0.1:${ingest.adminPort}${path}`)
  return {
    port: ingest.port,
    signer,
    post: (body, { source = 'main', headers = {}, timestampSeconds } = {}) =>
      postWebhook({
        port: ingest.port,
        source,
        body,
        headers: withoutUndefined({ ...signer.headers(body, timestampSeconds), ...headers }),
      }),
    events: async () =>
      (await readTopic(eventLog, topics.events)).map((value) => eventMessageSchema.parse(value)),
    rejected: async () =>
      (await readTopic(eventLog, topics.rejected)).map((value) => rejectedMessageSchema.parse(value)),
    metric: async (line) => readMetric(await (await admin('/metrics')).text(), line),
    admin,
    stop: async () => {
      await ingest.stop()
      await eventLog.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Every message of a topic of a `file:` log, parsed, in the order of partitions and offsets. */
export async function readTopic(eventLog: EventLog, topic: string): Promise<unknown[]> {
  const read = new Map<number, unknown[]>()
  // A `file:` log hands over all partitions of a topic at once, before the first of them has been read.
  let assigned = 0
  const complete = new Promise<void>((resolve, reject) => {
    void eventLog
      .consume({
        topic,
        group: randomUUID(),
        onFailure: reject,
        handle: async (partition) => {
          assigned += 1
          const values: unknown[] = []
          const { start, end } = await partition.offsets()
          for (let offset = start; offset < end;) {
            const records = await partition.read({ fromOffset: offset, maxRecords: 10_000, maxWaitMs: 100 })
            for (const record of records) values.push(JSON.parse(Buffer.from(record.value).toString()))
            offset = (records.at(-1)?.offset ?? offset) + 1
          }
          read.set(partition.partition, values)
          if (read.size === assigned) resolve()
          if (!partition.lost.aborted) await once(partition.lost, 'abort')
        },
      })
      .then((stop) => complete.then(stop))
      .catch(reject)
  })
  await complete
  return [...read.keys()].toSorted((a, b) => a - b).flatMap((partition) => read.get(partition) ?? [])
}

function readMetric(text: string, line: string): number {
  const found = text.split('\n').find((candidate) => candidate.startsWith(`${line} `))
  return found === undefined ? 0 : Number(found.slice(line.length + 1))
}

function withoutUndefined(headers: { readonly [name: string]: string | undefined }): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) kept[name] = value
  return kept
}

import { createServer } from 'node:http'
import type { KeyObject } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { generateSigningKeys, signWebhook, verifySignedBody } from '#shared/domain/webhook-signature.ts'
import { listen } from '#shared/http/listen.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import type { AppendMessages } from './append-messages.ts'
import { createByteBudget } from './byte-budget.ts'
import { createWebhookHandler } from './handle-webhook.ts'
import { createMetrics } from './metrics.ts'
import { createPrepareMessages } from './prepare-messages.ts'
import { createSources } from './sources.ts'

const NOW_SECONDS = 1_700_000_000
const signing = generateSigningKeys()
const running: Stop[] = []

/** The handler behind a bare server, with every verification written down. */
async function startHandler(appendMessages?: AppendMessages) {
  const config = configSchema.parse({
    sources: {
      main: { public_keys: [signing.publicKey] },
      rotating: { public_keys: [generateSigningKeys().publicKey, generateSigningKeys().publicKey] },
    },
  })
  const verifications: (readonly KeyObject[])[] = []
  const metrics = createMetrics(() => 0)
  const handle = createWebhookHandler({
    settings: config.ingest,
    sources: createSources(config),
    budget: createByteBudget(64 * 1024 * 1024),
    metrics,
    prepareMessages: createPrepareMessages(metrics),
    appendMessages: appendMessages ?? (() => Promise.resolve({ durable: true, settled: Promise.resolve() })),
    isStopping: () => false,
    nowMs: () => NOW_SECONDS * 1000,
    verify: (keys, headers, body) => {
      verifications.push(keys)
      return verifySignedBody(keys, headers, body)
    },
  })
  const server = createServer((request, response) => {
    void handle((request.url ?? '').slice(1), request, response)
  })
  const { port, stop } = await listen(server, { host: '127.0.0.1', port: 0 })
  running.push(stop)
  const post = (source: string, signature: string, body = '[]') =>
    fetch(`http://127.0.0.1:${port}/${source}`, {
      method: 'POST',
      body,
      headers: {
        'x-twilio-email-event-webhook-signature': signature,
        'x-twilio-email-event-webhook-timestamp': String(NOW_SECONDS),
        connection: 'close',
      },
    })
  return { post, verifications }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((stop) => stop()))
})

describe('an unknown source', () => {
  it('costs exactly the verifications of a bad signature, on whichever source', async () => {
    const { post, verifications } = await startHandler()
    const wrong = signWebhook(generateSigningKeys().privateKey, NOW_SECONDS, '[]')
    const statuses: number[] = []
    for (const source of ['main', 'rotating', 'unknown']) statuses.push((await post(source, wrong)).status)
    expect(statuses).toEqual([401, 401, 404])
    expect(verifications.map((keys) => keys.length)).toEqual([2, 2, 2])
  })

  it('answers with the same headers and body as a bad signature', async () => {
    const { post } = await startHandler()
    const wrong = signWebhook(generateSigningKeys().privateKey, NOW_SECONDS, '[]')
    const [known, unknown] = [await post('main', wrong), await post('unknown', wrong)]
    const shape = async (response: Response) => ({
      names: [...response.headers.keys()],
      length: response.headers.get('content-length'),
      text: await response.text(),
    })
    expect(await shape(unknown)).toEqual(await shape(known))
  })

  it('is unknown even with a signature that verifies elsewhere', async () => {
    const { post } = await startHandler()
    const genuine = signWebhook(signing.privateKey, NOW_SECONDS, '[]')
    expect((await post('main', genuine)).status).toBe(200)
    expect((await post('unknown', genuine)).status).toBe(404)
  })
})

describe('bodies that are large', () => {
  it('are parsed and made durable one after the other, whatever their number', async () => {
    let working = 0
    let most = 0
    const { post } = await startHandler(async () => {
      working += 1
      most = Math.max(most, working)
      await new Promise(setImmediate)
      working -= 1
      return { durable: true, settled: Promise.resolve() }
    })
    const body = '[]'.padEnd(4_500_000, ' ')
    const signature = signWebhook(signing.privateKey, NOW_SECONDS, body)
    const answers = await Promise.all(Array.from({ length: 8 }, () => post('main', signature, body)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    expect(most).toBe(1)
  })
})

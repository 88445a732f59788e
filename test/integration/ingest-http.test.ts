import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startIngestHarness, type IngestHarness } from '../support/ingest-harness.ts'
import { openRawSocket, statusesIn } from '../support/raw-socket.ts'
import { aSendgridEvent, webhookBody } from '../support/signed-webhook.ts'

const BODY_LIMIT = 64 * 1024
let harness: IngestHarness
beforeAll(async () => {
  harness = await startIngestHarness({ ingest: { body_limit_bytes: BODY_LIMIT } })
})
afterAll(() => harness.stop())

type Answer = { status: number | undefined; headers: Record<string, unknown>; text: string }

function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: harness.port, method, path, headers, agent: false }
    const request = httpRequest(options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

const PATH = '/v1/webhooks/sendgrid/main'
const body = webhookBody([aSendgridEvent('http')])

describe('HTTP', () => {
  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', undefined])(
    '200 whatever the content type says: %s',
    async (type) => {
      const headers = type === undefined ? {} : { 'content-type': type }
      expect(await harness.post(body, { headers })).toMatchObject({ status: 200 })
    },
  )

  it('200 for a body in chunks of unannounced length', async () => {
    const headers = { ...harness.signer.headers(body), 'transfer-encoding': 'chunked' }
    expect(await harness.post(body, { headers })).toMatchObject({ status: 200 })
  })

  it('answers in JSON, uncached, and does not say what it is made of', async () => {
    const { headers } = await harness.post(body)
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    expect(headers).not.toHaveProperty('x-powered-by')
  })

  it.each(['gzip', 'br', 'deflate', 'zstd', 'GZIP', 'gzip, identity'])(
    '415 for content-encoding %s',
    async (encoding) => {
      const compressed = gzipSync(body)
      const headers = { 'content-encoding': encoding }
      expect(await harness.post(compressed, { headers })).toMatchObject({ status: 415 })
    },
  )

  it('415 for a bomb, of which nothing is inflated', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    expect(await harness.post(bomb, { headers: { 'content-encoding': 'gzip' } })).toMatchObject({
      status: 415,
    })
  })

  it('200 at the body limit, 413 and a closed connection above it, announced or in chunks', async () => {
    const padded = (bytes: number) => Buffer.concat([Buffer.from('[]'), Buffer.alloc(bytes - 2, ' ')])
    expect(await harness.post(padded(BODY_LIMIT))).toMatchObject({ status: 200 })
    const tooLarge = { status: 413, text: '{"error":"too large"}', headers: { connection: 'close' } }
    expect(await harness.post(padded(BODY_LIMIT + 1))).toMatchObject(tooLarge)
    expect(await harness.post(padded(20_000_000))).toMatchObject(tooLarge)
    const chunked = { 'transfer-encoding': 'chunked' }
    expect(await harness.post(padded(BODY_LIMIT + 1), { headers: chunked })).toMatchObject(tooLarge)
    expect(await harness.metric('keywatch_ingest_in_flight_bytes')).toBe(0)
  })

  it('cuts off a client that goes on sending after 413', async () => {
    const raw = await openRawSocket(harness.port)
    const headers = harness.signer.headers('')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    raw.send(`POST ${PATH} HTTP/1.1\r\nHost: x\r\n${lines.join('')}Content-Length: 90000000\r\n\r\n`)
    const sending = setInterval(() => raw.send(Buffer.alloc(1000)), 20)
    expect(statusesIn(await raw.closed)).toEqual([413])
    clearInterval(sending)
  })

  it('does not ask for the body of a request that its headers condemn', async () => {
    const raw = await openRawSocket(harness.port)
    raw.send(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 60000\r\n\r\n`)
    await eventually(() => raw.received().includes('refused'), { timeoutMs: 5000, what: 'an answer' })
    expect(statusesIn(raw.received())).toEqual([401])
    raw.socket.destroy()
  })

  it('asks for a body that may come, and takes it', async () => {
    const raw = await openRawSocket(harness.port)
    const lines = Object.entries(harness.signer.headers(body)).map(([name, value]) => `${name}: ${value}\r\n`)
    raw.send(
      `POST ${PATH} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`,
    )
    await eventually(() => statusesIn(raw.received()).includes(100), {
      timeoutMs: 5000,
      what: '100 Continue',
    })
    raw.send(body)
    expect(statusesIn(await raw.closed)).toEqual([100, 200])
  })

  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])(
    '405 for %s, with the method allowed',
    async (method) => {
      const answer = await send(method, PATH)
      expect(answer).toMatchObject({
        status: 405,
        headers: { allow: 'POST' },
        text: '{"error":"method not allowed"}',
      })
    },
  )

  it('405 for HEAD', async () => {
    expect(await send('HEAD', PATH)).toMatchObject({ status: 405, headers: { allow: 'POST' }, text: '' })
  })

  it.each([
    { path: '/', status: 404 },
    { path: '/metrics', status: 404 },
    { path: '/v1/webhooks/sendgrid/', status: 404 },
    { path: '/v1/webhooks/sendgrid/main/', status: 404 },
    { path: '/V1/webhooks/sendgrid/main', status: 404 },
    { path: '/v1/webhooks/sendgrid/main/../main', status: 404 },
    { path: '/v1/webhooks/sendgrid/%2e%2e', status: 404 },
    { path: '/v1/webhooks/sendgrid/%00', status: 404 },
    { path: '/v1/webhooks/sendgrid/a%2fb', status: 404 },
    { path: '/v1/webhooks/sendgrid/%ff', status: 400 },
    { path: '/v1/webhooks/sendgrid/%', status: 400 },
    { path: '//v1//webhooks', status: 404 },
  ])('$status in JSON for the path $path', async ({ path, status }) => {
    const answer = await send('POST', path, harness.signer.headers(body), body)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text)).toHaveProperty('error')
  })

  it('is not fooled by the query string', async () => {
    const answer = await send(
      'POST',
      `${PATH}?source=other&__proto__[x]=1`,
      harness.signer.headers(body),
      body,
    )
    expect(answer.status).toBe(200)
  })

  it('answers many requests over one connection, refused ones in between', async () => {
    const raw = await openRawSocket(harness.port)
    const post = (headers: Record<string, string>, last = false) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return `POST ${PATH} HTTP/1.1\r\nHost: x\r\n${lines.join('')}${last ? 'Connection: close\r\n' : ''}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    }
    const signed = harness.signer.headers(body)
    raw.send(
      post(signed) + post({}) + post(signed) + post({ 'content-encoding': 'gzip' }) + post(signed, true),
    )
    expect(statusesIn(await raw.closed)).toEqual([200, 401, 200, 415, 200])
  })
})

import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/runtime/app-error.ts'
import { eventually } from '../support/eventually.ts'
import { startIngestHarness } from '../support/ingest-harness.ts'
import { openRawSocket, statusesIn } from '../support/raw-socket.ts'
import { aSendgridEvent, webhookBody } from '../support/signed-webhook.ts'

const MIB = 1024 * 1024
const body = webhookBody([aSendgridEvent('pressure')])
const inFlight = 'keywatch_ingest_in_flight_bytes'
const START = 'POST /v1/webhooks/sendgrid/main HTTP/1.1\r\nHost: x\r\n'
const tryAgain = {
  status: 503,
  text: '{"error":"try again later"}',
  headers: { 'retry-after': expect.any(String) },
}

function createGate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('the bytes in flight are bounded', () => {
  it('503 with Retry-After beyond the limit, for sized and for chunked bodies; 200 when they are gone', async () => {
    const gate = createGate()
    const harness = await startIngestHarness({
      ingest: { in_flight_limit_bytes: 2 * MIB },
      beforeAppend: () => gate.opened,
    })
    const large = body.padEnd(MIB, ' ')
    const held = [harness.post(large), harness.post(large)]
    await eventually(async () => (await harness.metric(inFlight)) === 2 * MIB, {
      timeoutMs: 5000,
      what: 'two bodies wait for the log',
    })
    expect(await harness.post(body)).toMatchObject(tryAgain)
    expect(await harness.post(body, { headers: { 'transfer-encoding': 'chunked' } })).toMatchObject(tryAgain)
    gate.open()
    expect(await Promise.all(held)).toMatchObject([{ status: 200 }, { status: 200 }])
    expect(await harness.metric(inFlight)).toBe(0)
    expect(await harness.post(body)).toMatchObject({ status: 200 })
    await harness.stop()
  })

  it('announcing bodies and sending none keeps nobody out', async () => {
    const harness = await startIngestHarness({ ingest: { in_flight_limit_bytes: 2 * MIB } })
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openRawSocket(harness.port)))
    for (const raw of sockets)
      raw.send(`${START}${forgedHeaders(harness)}Content-Length: ${5 * MIB}\r\n\r\n[`)
    await eventually(async () => (await harness.metric(inFlight)) === sockets.length, {
      timeoutMs: 5000,
      what: 'every first byte is there',
    })
    expect(await harness.post(body)).toMatchObject({ status: 200 })
    for (const raw of sockets) raw.socket.destroy()
    await harness.stop()
  })

  it('bodies that fill the budget and never end give way to others after a second', async () => {
    const harness = await startIngestHarness({ ingest: { in_flight_limit_bytes: 2 * MIB } })
    const sockets = await Promise.all([openRawSocket(harness.port), openRawSocket(harness.port)])
    for (const raw of sockets) {
      raw.send(`${START}${forgedHeaders(harness)}Content-Length: ${MIB + 1}\r\n\r\n${'['.repeat(MIB)}`)
    }
    await eventually(async () => (await harness.metric(inFlight)) === 2 * MIB, {
      timeoutMs: 5000,
      what: 'the budget is full',
    })
    await eventually(async () => (await harness.post(body)).status === 200, {
      timeoutMs: 5000,
      what: 'a genuine request is taken',
    })
    const answers = await Promise.race(sockets.map((raw) => raw.closed))
    expect(statusesIn(answers)).toEqual([503])
    await harness.stop()
  })
})

/** The form of a signature, which anybody can make. */
function forgedHeaders(harness: { readonly signer: { readonly headers: (body: string) => object } }): string {
  const lines = Object.entries(harness.signer.headers('another body'))
  return lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')
}

describe('2xx comes only after the log', () => {
  it('waits for the log before it answers', async () => {
    const gate = createGate()
    let asked = false
    const harness = await startIngestHarness({
      beforeAppend: () => {
        asked = true
        return gate.opened
      },
    })
    let answered = false
    const posting = harness.post(body).then((answer) => {
      answered = true
      return answer
    })
    await eventually(() => asked, { timeoutMs: 5000, what: 'the log is asked' })
    expect(await harness.events()).toEqual([])
    expect(answered).toBe(false)
    gate.open()
    expect(await posting).toMatchObject({ status: 200 })
    expect(await harness.events()).toHaveLength(1)
    await harness.stop()
  })

  it.each([
    new AppError('EVENT_LOG_FULL', 'full', { retriable: true }),
    new AppError('EVENT_LOG_UNAVAILABLE', 'away', { retriable: true }),
    new Error('unexpected'),
  ])('503 with Retry-After when the log fails: $message; and 200 again afterwards', async (failure) => {
    let failing = true
    const harness = await startIngestHarness({
      beforeAppend: () => (failing ? Promise.reject(failure) : Promise.resolve()),
    })
    expect(await harness.post(body)).toMatchObject(tryAgain)
    expect(await harness.events()).toEqual([])
    failing = false
    expect(await harness.post(body)).toMatchObject({ status: 200 })
    await harness.stop()
  })

  it('503 when the log takes longer than the configured time, and its bytes count until it lets go', async () => {
    const gate = createGate()
    const harness = await startIngestHarness({
      beforeAppend: () => gate.opened,
      ingest: { append_timeout_ms: 50 },
    })
    expect(await harness.post(body)).toMatchObject(tryAgain)
    expect(await harness.metric('keywatch_ingest_append_failed_total{reason="timeout"}')).toBe(1)
    expect(await harness.metric(inFlight)).toBe(Buffer.byteLength(body))
    gate.open()
    await eventually(async () => (await harness.metric(inFlight)) === 0, {
      timeoutMs: 5000,
      what: 'the bytes are back',
    })
    await harness.stop()
  })
})

describe('stopping', () => {
  it('finishes what was accepted, refuses what comes after, and turns readiness red first', async () => {
    const gate = createGate()
    let asked = false
    const harness = await startIngestHarness({
      beforeAppend: () => {
        asked = true
        return gate.opened
      },
    })
    const kept = await openRawSocket(harness.port)
    kept.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventually(() => statusesIn(kept.received()).length === 1, {
      timeoutMs: 5000,
      what: 'a kept connection',
    })
    const lines = Object.entries(harness.signer.headers(body)).map(([name, value]) => `${name}: ${value}\r\n`)
    const request = `${START}${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    const busy = await openRawSocket(harness.port)
    busy.send(request + request)
    await eventually(() => asked, { timeoutMs: 5000, what: 'the log is asked' })
    expect((await harness.admin('/readyz')).status).toBe(200)
    const stopping = harness.stop()
    const ready = await harness.admin('/readyz')
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ ready: false, reason: 'stopping' })
    await expect(openRawSocket(harness.port)).rejects.toThrow('ECONNREFUSED')
    await kept.closed
    gate.open()
    const received = await busy.closed
    expect(statusesIn(received)[0]).toBe(200)
    expect(received.toLowerCase()).toContain('connection: close')
    await stopping
  })

  it('does not wait for a client that never finishes its request', async () => {
    const harness = await startIngestHarness({ stopDeadlineMs: 1000 })
    const raw = await openRawSocket(harness.port)
    const lines = Object.entries(harness.signer.headers(body)).map(([name, value]) => `${name}: ${value}\r\n`)
    raw.send(`${START}${lines.join('')}Content-Length: 500\r\n\r\n[`)
    await eventually(async () => (await harness.metric(inFlight)) === 1, {
      timeoutMs: 5000,
      what: 'a request',
    })
    const startedAtMs = performance.now()
    await harness.stop()
    expect(performance.now() - startedAtMs).toBeLessThan(1000)
    expect(await raw.closed).toBe('')
  })
})

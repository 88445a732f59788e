import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'node:https'
import { connect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startIngestHarness } from '../support/ingest-harness.ts'
import { selfSignedCertificate } from '../support/self-signed-certificate.ts'
import { aSendgridEvent, webhookBody } from '../support/signed-webhook.ts'

let directory: string
let files: { certificate_file: string; key_file: string }
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-tls-'))
  files = { certificate_file: join(directory, 'cert.pem'), key_file: join(directory, 'key.pem') }
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function write(pair: { cert: string; key: string }) {
  await writeFile(files.certificate_file, pair.cert)
  await writeFile(files.key_file, pair.key)
}

/** The name in the certificate that a new connection is shown. */
function nameShown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

describe('TLS', () => {
  it('takes webhooks over HTTPS, and a renewed certificate without a restart', async () => {
    await write(selfSignedCertificate('first.example.com'))
    const harness = await startIngestHarness({ ingest: { tls: files } })
    const body = webhookBody([aSendgridEvent('secure')])
    const status = await new Promise((resolve, reject) => {
      const { port } = harness
      const headers = harness.signer.headers(body)
      const path = '/v1/webhooks/sendgrid/main'
      const options = { host: '127.0.0.1', port, method: 'POST', path, headers, rejectUnauthorized: false }
      const posting = request({ ...options, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      posting.on('error', reject)
      posting.end(body)
    })
    expect(status).toBe(200)
    expect(await nameShown(harness.port)).toBe('first.example.com')

    await write(selfSignedCertificate('second.example.com'))
    await eventually(async () => (await nameShown(harness.port)) === 'second.example.com', {
      timeoutMs: 15_000,
      what: 'the renewed certificate is shown',
    })
    await harness.stop()
  })

  it('goes on with the old certificate while the new pair cannot be used', async () => {
    const first = selfSignedCertificate('first.example.com')
    await write(first)
    const harness = await startIngestHarness({ ingest: { tls: files } })
    const failures = () => harness.metric('keywatch_ingest_certificate_reload_failed_total')
    const third = selfSignedCertificate('third.example.com')
    await write({ cert: third.cert, key: first.key })
    await eventually(async () => (await failures()) > 0, { timeoutMs: 15_000, what: 'a reload was tried' })
    expect(await nameShown(harness.port)).toBe('first.example.com')
    await write(third)
    await eventually(async () => (await nameShown(harness.port)) === 'third.example.com', {
      timeoutMs: 15_000,
      what: 'the whole pair is shown',
    })
    await harness.stop()
  })

  it('refuses to start with a certificate and a key that do not belong together', async () => {
    const { cert } = selfSignedCertificate('a.example.com')
    await write({ cert, key: selfSignedCertificate('b.example.com').key })
    await expect(startIngestHarness({ ingest: { tls: files } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})

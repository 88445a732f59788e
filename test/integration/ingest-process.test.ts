import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { eventMessageSchema } from '#shared/domain/log-message.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { eventually } from '../support/eventually.ts'
import { readTopic } from '../support/ingest-harness.ts'
import { aSendgridEvent, createWebhookSigner, postWebhook, webhookBody } from '../support/signed-webhook.ts'
import { spawnService, type SpawnedService } from '../support/spawn-service.ts'

const signer = createWebhookSigner()
let directory: string
const running: SpawnedService[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-ingest-process-'))
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.kill('SIGKILL')))
  await rm(directory, { recursive: true, force: true })
})

async function startService(env: Record<string, string> = {}) {
  const service = spawnService({
    name: 'ingest',
    cwd: directory,
    env: {
      KEYWATCH_DATA_DIRECTORY: directory,
      KEYWATCH_SOURCES: `{"main": {"public_keys": ["${signer.publicKey}"]}}`,
      KEYWATCH_INGEST__LISTEN: '127.0.0.1:0',
      KEYWATCH_INGEST__ADMIN_LISTEN: '127.0.0.1:0',
      ...env,
    },
  })
  running.push(service)
  return service
}

async function portOf(service: SpawnedService): Promise<number> {
  const output = await service.waitForOutput(/"address":"http:\/\/127\.0\.0\.1:(\d+)"[^\n]*"listening"/)
  return Number(/"address":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(output)?.[1])
}

async function storedIds(): Promise<Set<string>> {
  const { event_log: settings } = configSchema.parse({ data_directory: directory })
  const eventLog = await openEventLog(settings, { log: pino({ level: 'silent' }), clientId: 'test' })
  const messages = await readTopic(eventLog, topics.events)
  await eventLog.close()
  return new Set(messages.map((message) => eventMessageSchema.parse(message).event.sg_event_id))
}

/** Posts requests of ten events one after the other until the connection fails; answers with the ids that got 2xx. */
async function postUntilGone(port: number, sender: string): Promise<string[]> {
  const acknowledged: string[] = []
  for (let request = 0; ; request++) {
    const ids = Array.from({ length: 10 }, (_, index) => `${sender}-${request}-${index}`)
    const body = webhookBody(ids.map((id) => aSendgridEvent(id)))
    try {
      const { status } = await postWebhook({ port, source: 'main', body, headers: signer.headers(body) })
      if (status !== 200) return acknowledged
      acknowledged.push(...ids)
    } catch {
      return acknowledged
    }
  }
}

describe('the ingest process', () => {
  it('refuses to start without a source, with a sentence that says what to do', async () => {
    const service = await startService({ KEYWATCH_SOURCES: '' })
    expect(await service.exited).toEqual({ code: 1, signal: null })
    expect(service.output()).toContain('no source is configured: add one to keywatch.yaml')
  })

  it('exits 0 on SIGTERM under load, and has every event that it said it took', async () => {
    const service = await startService()
    const port = await portOf(service)
    const senders = ['a', 'b', 'c', 'd'].map((sender) => postUntilGone(port, sender))
    await eventually(async () => (await storedIds()).size > 200, { timeoutMs: 20_000, what: 'events arrive' })
    expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    const acknowledged = (await Promise.all(senders)).flat()
    const stored = await storedIds()
    expect(acknowledged.length).toBeGreaterThan(200)
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
  })

  it('killed at any moment, has every event that it said it took, and goes on after a restart', async () => {
    for (let kill = 0; kill < 5; kill++) {
      const service = await startService()
      const port = await portOf(service)
      const before = (await storedIds()).size
      const senders = ['a', 'b', 'c', 'd'].map((sender) => postUntilGone(port, `${kill}${sender}`))
      await eventually(async () => (await storedIds()).size > before + 100 + kill * 37, {
        timeoutMs: 20_000,
        what: 'events arrive',
      })
      await service.kill('SIGKILL')
      const acknowledged = (await Promise.all(senders)).flat()
      const stored = await storedIds()
      expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
    }
  })

  it('logs no address, signature or body of what it takes and refuses', async () => {
    const service = await startService()
    const port = await portOf(service)
    const secretBody = webhookBody([aSendgridEvent('logged', { email: 'secret.person@example.com' })])
    const headers = signer.headers(secretBody)
    await postWebhook({ port, source: 'main', body: secretBody, headers })
    await postWebhook({ port, source: 'main', body: `${secretBody} `, headers })
    await postWebhook({
      port,
      source: 'main',
      body: '{secret.person',
      headers: signer.headers('{secret.person'),
    })
    await service.kill()
    expect(service.output()).not.toContain('secret.person')
    expect(service.output()).not.toContain(Object.values(headers)[0])
  })

  it('writes files that only its own user can read, even into a directory that all may enter', async () => {
    const log = join(directory, 'event-log')
    await mkdir(log)
    await chmod(log, 0o755)
    await portOf(await startService())
    const files = await readdir(log)
    expect(files).toContain('data.mdb')
    for (const file of files) expect((await stat(join(log, file))).mode & 0o077).toBe(0)
  })
})

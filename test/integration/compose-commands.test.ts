import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { configSchema } from '#shared/config/config.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { createWarehouseClient } from '#shared/warehouse/client.ts'
import { pino } from 'pino'
import { startAlertReceiver, type AlertReceiver } from '../support/alert-receiver.ts'
import { ownServices, readComposeFile, type ComposeService } from '../support/compose-file.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { layOutImage } from '../support/image-folder.ts'
import { WEBHOOK_SECRET } from '../support/notifier-harness.ts'
import { runCommand, type RunningCommand } from '../support/run-command.ts'
import { aSendgridEvent, createWebhookSigner, postWebhook, webhookBody } from '../support/signed-webhook.ts'
import { startTestKafka } from '../support/start-kafka.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

const compose = readComposeFile({ KEYWATCH_DOMAIN: 'hooks.example.com' })
const kafka = await startTestKafka({ own: true })
const mayBeSkipped = kafka.kind === 'unavailable' && process.env['CI'] !== 'true'
if (mayBeSkipped) {
  // oxlint-disable-next-line no-console -- nobody should believe that these tests have run
  console.warn(`SKIPPED, no Kafka: the containers' commands. ${kafka.missing}`)
}

describe.skipIf(mayBeSkipped)(
  "the containers' commands, as plain processes with the same environment",
  () => {
    const signer = createWebhookSigner()
    let folder: string
    let image: string
    let warehouse: TestWarehouse
    let receiver: AlertReceiver
    /** What is another on this machine than in a container: hosts, ports and where the mounts are. */
    let places: readonly (readonly [from: string, to: string])[]
    const running = new Map<string, RunningCommand>()

    beforeAll(async () => {
      if (kafka.kind === 'unavailable') throw new Error(kafka.missing)
      folder = await mkdtemp(join(tmpdir(), 'containers-'))
      image = join(folder, 'app')
      await mkdir(image)
      await layOutImage(image)
      warehouse = await startTestWarehouse()
      receiver = await startAlertReceiver([WEBHOOK_SECRET])
      await mkdir(join(folder, 'secrets'))
      await writeFile(join(folder, 'secrets/clickhouse_password'), `${warehouse.connection.password}\n`)
      await writeFile(join(folder, 'secrets/privacy_hash_key'), `${'a1'.repeat(32)}\n`)
      const pager = {
        type: 'webhook',
        url: receiver.url,
        secrets: [WEBHOOK_SECRET],
        allow_private_address: true,
      }
      await writeFile(
        join(folder, 'keywatch.yaml'),
        stringify({
          sources: { main: { public_keys: [signer.publicKey] } },
          event_log: { url: 'file:overridden-by-the-environment' },
          notifier: { channels: { pager } },
        }),
      )
      places = [
        ['kafka://kafka:9092', kafka.url],
        ['http://clickhouse:8123', warehouse.url],
        ['/run/secrets', join(folder, 'secrets')],
        ['/etc/keywatch', folder],
        ['/tmp/keywatch', join(folder, 'data')],
        ['0.0.0.0:8080', `127.0.0.1:${await freePort()}`],
      ]
    })
    afterAll(async () => {
      for (const command of running.values()) await command.kill('SIGKILL')
      await receiver.close()
      await warehouse.stop()
      if (kafka.kind === 'running') await kafka.stop()
      await rm(folder, { recursive: true, force: true })
    })

    const placed = (text: string, more: typeof places = []) =>
      [...places, ...more].reduce((moved, [from, to]) => moved.replaceAll(from, to), text)
    /** Starts a service once more; each container has its own network, so each process gets its own admin port. */
    const start = async (name: string, service: ComposeService) => {
      const admin = [[adminAddress(service), `127.0.0.1:${await freePort()}`] as const]
      const env = Object.fromEntries(
        Object.entries(service.environment).map(([key, value]) => [key, placed(value, admin)]),
      )
      const command = runCommand(service.command ?? [], { cwd: image, env })
      running.set(name, command)
      return { command, healthCheck: (service.healthcheck.test ?? []).map((part) => placed(part, admin)) }
    }

    it(
      'migrate once, then take an event, store it, tell an alert, answer their health checks and stop',
      { timeout: 240_000 },
      async () => {
        const before = await readdir(image, { recursive: true })
        const [migrate, ...services] = ownServices(compose)
        if (migrate === undefined) throw new Error('Compose runs the migration')
        const migration = await start('migrate', migrate[1])
        const status = await migration.command.exited
        expect(`${status} ${migration.command.output()}`).toMatch(/^0 Applied: /)

        for (const [name, service] of [...services, ...services.filter(([name]) => name === 'detector')]) {
          const { command, healthCheck } = await start(running.has(name) ? `${name} 2` : name, service)
          await command.waitForOutput(/"msg":"started"/)
          expect(healthCheck[0]).toBe('CMD')
          await eventually(
            async () => (await runCommand(healthCheck.slice(1), { cwd: image, env: {} }).exited) === 0,
            { timeoutMs: 60_000, what: `${name} is healthy: ${command.output()}` },
          )
        }
        expect([...running.keys()]).toEqual(['migrate', 'ingest', 'detector', 'notifier', 'detector 2'])

        const body = webhookBody([aSendgridEvent('compose-1', { api_key_id: 'billing' })])
        const ingestPort = Number(placed('0.0.0.0:8080').split(':')[1])
        const answer = await postWebhook({
          port: ingestPort,
          source: 'main',
          body,
          headers: signer.headers(body),
        })
        expect(answer.status).toBeLessThan(300)
        await eventually(
          async () => {
            const keys = await storedKeys(warehouse)
            if (!keys.includes('billing')) throw new Error(logsOf(running))
            return true
          },
          { timeoutMs: 60_000, what: 'the event is in the warehouse' },
        )

        await appendAlert(placed('kafka://kafka:9092'))
        await eventually(() => receiver.accepted.some(({ id, verified }) => id === 'compose.1' && verified), {
          timeoutMs: 60_000,
          what: 'the alert is at its receiver, signed',
        })

        const stopped = [...running].filter(([name]) => name !== 'migrate')
        const statuses = await Promise.all(stopped.map(([, command]) => command.kill('SIGTERM')))
        expect(statuses).toEqual(stopped.map(() => 0))
        // The containers' file system is read-only: nothing may be written beside the code.
        expect(await readdir(image, { recursive: true })).toEqual(before)
      },
    )
  },
)

/** What every process wrote last, for a failure's message. */
function logsOf(running: ReadonlyMap<string, RunningCommand>): string {
  return [...running].map(([name, command]) => `${name}:\n${command.output().slice(-3000)}`).join('\n')
}

function adminAddress(service: ComposeService): string {
  const listen = Object.entries(service.environment).find(([name]) => name.endsWith('__ADMIN_LISTEN'))
  return listen?.[1] ?? 'no admin server'
}

async function storedKeys({ connection }: TestWarehouse): Promise<readonly string[]> {
  const client = createWarehouseClient(connection, 'keywatch-test')
  try {
    const rows = await client.query({ query: 'SELECT key FROM events', format: 'JSONEachRow' })
    return (await rows.json<{ key: string }>()).map(({ key }) => key)
  } finally {
    await client.close()
  }
}

async function appendAlert(url: string) {
  const { event_log } = configSchema.parse({ event_log: { url }, privacy: { recipients: 'plain' } })
  const eventLog = await openEventLog(event_log, { log: pino({ level: 'silent' }), clientId: 'test' })
  const alert = exampleAlert({ alert_id: 'compose' })
  await eventLog.append(topics.alerts, [{ key: alert.alert_id, value: JSON.stringify(alert) }])
  await eventLog.close()
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { startAlertReceiver } from '../support/alert-receiver.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { alertStory, WEBHOOK_SECRET } from '../support/notifier-harness.ts'
import { spawnService, type SpawnedService } from '../support/spawn-service.ts'
import { startTestKafka } from '../support/start-kafka.ts'

const TIMEOUT_MS = 60_000
// A broker of its own: the notifier's topic has one name, and other tests' alerts would be delivered too.
const kafka = await startTestKafka({ own: true })
const mayBeSkipped = kafka.kind === 'unavailable' && process.env['CI'] !== 'true'
if (mayBeSkipped) {
  // oxlint-disable-next-line no-console -- nobody should believe that this test has run
  console.warn(`SKIPPED, no Kafka: the notifier on Kafka. ${kafka.missing}`)
}

describe.skipIf(mayBeSkipped)('the notifier on Kafka', () => {
  afterAll(async () => {
    if (kafka.kind === 'running') await kafka.stop()
  })

  it(
    'loses nothing when it is killed, and repeats only what was under way',
    { timeout: 240_000 },
    async () => {
      if (kafka.kind === 'unavailable') throw new Error(kafka.missing)
      const folder = await mkdtemp(join(tmpdir(), 'keywatch-notifier-'))
      const receiver = await startAlertReceiver([WEBHOOK_SECRET])
      const { event_log } = configSchema.parse({
        event_log: { url: kafka.url },
        privacy: { recipients: 'plain' },
      })
      const eventLog = await openEventLog(event_log, { log: pino({ level: 'silent' }), clientId: 'test' })
      const story = alertStory(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
      await eventLog.append(
        topics.alerts,
        story.map((alert) => ({ key: alert.alert_id, value: JSON.stringify(alert) })),
      )
      await eventLog.close()

      let service: SpawnedService | undefined
      const start = async () => {
        service = spawnService({
          name: 'notifier',
          cwd: folder,
          env: {
            KEYWATCH_EVENT_LOG__URL: kafka.url,
            KEYWATCH_EVENT_LOG__SESSION_TIMEOUT_MS: '6000',
            KEYWATCH_PRIVACY__RECIPIENTS: 'plain',
            KEYWATCH_NOTIFIER__ADMIN_LISTEN: `127.0.0.1:${await freePort()}`,
            KEYWATCH_NOTIFIER__CHANNELS: JSON.stringify({
              pager: {
                type: 'webhook',
                url: receiver.url,
                secrets: [WEBHOOK_SECRET],
                allow_private_address: true,
              },
            }),
          },
        })
        return service
      }
      try {
        const underWay = new Set<string>()
        for (const acceptedFirst of [3, 5]) {
          receiver.acceptThenHold(acceptedFirst)
          const before = receiver.requests.length
          const killed = await start()
          await eventually(() => receiver.requests.length > before + acceptedFirst, {
            timeoutMs: TIMEOUT_MS,
            what: `a message under way; ${killed.output()}`,
          })
          await killed.kill('SIGKILL')
          const answered = new Set(receiver.accepted)
          for (const request of receiver.requests) if (!answered.has(request)) underWay.add(request.id)
          // One message of each partition may have been accepted and not yet been committed.
          for (const { id } of receiver.accepted.slice(-4)) underWay.add(id)
        }
        receiver.behave({ kind: 'answer', status: 200 })
        const last = await start()
        await eventually(() => new Set(receiver.accepted.map(({ id }) => id)).size === story.length, {
          timeoutMs: TIMEOUT_MS,
          what: `the whole story; ${last.output()}`,
        })
        await last.waitForOutput(/"msg":"started"/)
        expect(await last.kill('SIGTERM')).toEqual({ code: 0, signal: null })

        const ids = receiver.requests.map(({ id }) => id)
        const repeated = ids.filter((id, index) => ids.indexOf(id) !== index)
        expect([...underWay]).toEqual(expect.arrayContaining(repeated))
        for (const alertId of 'abcdefgh') {
          const told = [...new Set(ids)].filter((id) => id.startsWith(`${alertId}.`))
          expect(told).toEqual([`${alertId}.1`, `${alertId}.2`, `${alertId}.3`])
        }
        expect(receiver.requests.every(({ verified }) => verified)).toBe(true)
      } finally {
        await service?.kill('SIGKILL')
        await receiver.close()
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
})

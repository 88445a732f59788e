import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAlertReceiver, type AlertReceiver } from '../support/alert-receiver.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import {
  alertStory,
  startNotifierHarness,
  WEBHOOK_SECRET,
  type NotifierHarness,
} from '../support/notifier-harness.ts'
import { spawnService, type SpawnedService } from '../support/spawn-service.ts'

const TIMEOUT_MS = 30_000
const idOf = (alert: { readonly alert_id: string; readonly revision: number }) =>
  `${alert.alert_id}.${alert.revision}`

describe('the notifier process', () => {
  let harness: NotifierHarness
  let receiver: AlertReceiver
  let service: SpawnedService
  const start = async () =>
    spawnService({
      name: 'notifier',
      env: {
        KEYWATCH_CONFIG: '',
        KEYWATCH_DATA_DIRECTORY: harness.dataDirectory,
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
  beforeEach(async () => {
    harness = await startNotifierHarness()
    receiver = await startAlertReceiver([WEBHOOK_SECRET])
  })
  afterEach(async () => {
    await service.kill('SIGKILL')
    await receiver.close()
    await harness.close()
  })

  it('loses nothing when it is killed while sending, and repeats only the message under way', async () => {
    const story = alertStory(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    await harness.appendAlerts(...story)
    // The message under way at each kill: the receiver has it, the notifier does not know.
    const underWay: string[] = []
    for (const acceptedFirst of [0, 1, 4, 1, 7]) {
      receiver.acceptThenHold(acceptedFirst)
      const before = receiver.requests.length
      service = await start()
      await eventually(() => receiver.requests.length > before + acceptedFirst, {
        timeoutMs: TIMEOUT_MS,
        what: `a message under way; ${service.output()}`,
      })
      await service.kill('SIGKILL')
      underWay.push(receiver.requests.at(-1)?.id ?? '')
    }
    receiver.behave({ kind: 'answer', status: 200 })
    service = await start()
    await eventually(() => new Set(receiver.accepted.map(({ id }) => id)).size === story.length, {
      timeoutMs: TIMEOUT_MS,
      what: `the whole story; ${service.output()}`,
    })
    await service.waitForOutput(/"msg":"started"/)
    expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null })

    const ids = receiver.requests.map(({ id }) => id)
    expect([...new Set(ids)]).toEqual(story.map(idOf))
    const repeated = ids.filter((id, index) => ids.indexOf(id) !== index)
    expect(repeated).toEqual(underWay)
    expect(receiver.requests.every(({ verified }) => verified)).toBe(true)
  })

  it('refuses to start with a channel that can never work, and does not print its URL', async () => {
    service = spawnService({
      name: 'notifier',
      env: {
        KEYWATCH_DATA_DIRECTORY: harness.dataDirectory,
        KEYWATCH_NOTIFIER__CHANNELS: '{people: {type: slack, url: "http://127.0.0.1/secret-path"}}',
      },
    })
    const exit = await service.exited
    expect(exit.code).toBe(1)
    expect(service.output()).toContain('notifier.channels.people.url must start with https://')
    expect(service.output()).not.toContain('secret-path')
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { configSchema } from '#shared/config/config.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import { startNotifier } from '../../services/notifier/notifier.ts'
import { freePort } from './free-port.ts'

/** A secret that the tests share with their receiver. */
export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 'keywatch').toString('base64')}`

export type NotifierHarness = {
  readonly eventLog: EventLog
  readonly dataDirectory: string
  readonly appendAlerts: (...alerts: readonly Alert[]) => Promise<void>
  /** Starts a notifier in this process; `aheadMs` moves its clock. */
  readonly start: (channels: unknown, options?: { readonly aheadMs?: number }) => Promise<StartedNotifier>
  readonly close: () => Promise<void>
}

export type StartedNotifier = {
  readonly stop: Stop
  readonly failures: readonly unknown[]
  /** What the terminal channel wrote. */
  readonly terminal: () => string
  readonly admin: (path: string) => Promise<{ readonly status: number; readonly text: string }>
}

/** A real `file:` log in a directory of its own, and notifiers on it. */
export async function startNotifierHarness(): Promise<NotifierHarness> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'keywatch-notifier-'))
  const log = pino({ level: 'silent' })
  const { event_log } = configSchema.parse({ data_directory: dataDirectory })
  const eventLog = await openEventLog(event_log, { log, clientId: 'test' })
  const running = new Set<Stop>()
  return {
    eventLog,
    dataDirectory,
    appendAlerts: (...alerts) =>
      eventLog.append(
        topics.alerts,
        alerts.map((alert) => ({ key: alert.alert_id, value: JSON.stringify(alert) })),
      ),
    start: async (channels, { aheadMs = 0 } = {}) => {
      const adminPort = await freePort()
      const { notifier } = configSchema.parse({
        notifier: { admin_listen: `127.0.0.1:${adminPort}`, channels },
      })
      const failures: unknown[] = []
      let written = ''
      const output = new Writable({
        write: (chunk, _encoding, done) => {
          written += String(chunk)
          done()
        },
      })
      const stop = await startNotifier({
        eventLog,
        config: notifier,
        log,
        terminal: { output, coloured: false },
        random: () => 0,
        nowMs: () => Date.now() + aheadMs,
        fail: (error) => failures.push(error),
      })
      running.add(stop)
      return {
        stop,
        failures,
        terminal: () => written,
        admin: async (path) => {
          const answer = await fetch(`http://127.0.0.1:${adminPort}${path}`)
          return { status: answer.status, text: await answer.text() }
        },
      }
    },
    close: async () => {
      for (const stop of running) await stop()
      await eventLog.close()
      await rm(dataDirectory, { recursive: true })
    },
  }
}

/** States of alerts as the detector appends them: `<alert>` opened, raised and resolved, alerts interleaved. */
export function alertStory(alertIds: readonly string[]): readonly Alert[] {
  return [1, 2, 3].flatMap((revision) =>
    alertIds.map((alert_id) =>
      exampleAlert({
        alert_id,
        revision,
        key: `key-${alert_id}`,
        status: revision === 3 ? 'resolved' : 'open',
        ended_at: revision === 3 ? '2026-03-01T03:00:00Z' : null,
      }),
    ),
  )
}

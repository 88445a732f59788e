import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { NewRecord } from '#shared/event-log/event-log.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { createAppendMessages } from './append-messages.ts'
import { createMetrics } from './metrics.ts'

const record = (key: string): NewRecord => ({ key, value: '{}' })
const log = pino({ level: 'silent' })

function createFixture(append: (topic: string, records: readonly NewRecord[]) => Promise<void>) {
  const metrics = createMetrics(() => 0)
  const appendMessages = createAppendMessages({ eventLog: { append }, metrics, log, timeoutMs: 30 })
  const failures = async () =>
    (await metrics.appendFailed.get()).values.map(({ labels, value }) => [labels.reason, value])
  return { appendMessages, failures }
}

describe('appendMessages', () => {
  it('is durable only when both topics are', async () => {
    const appended: string[] = []
    const { appendMessages, failures } = createFixture(async (topic, records) => {
      appended.push(`${topic}:${records.length}`)
    })
    expect(
      await appendMessages({ events: [record('a'), record('b')], rejected: [record('c')] }),
    ).toMatchObject({
      durable: true,
    })
    expect(appended.toSorted()).toEqual(['sendgrid.events:2', 'sendgrid.rejected:1'])
    expect(await failures()).toEqual([])
  })

  it('is durable at once where there is nothing to append', async () => {
    const { appendMessages } = createFixture(() => Promise.reject(new Error('not asked')))
    expect(await appendMessages({ events: [], rejected: [] })).toMatchObject({ durable: true })
  })

  it.each(['sendgrid.events', 'sendgrid.rejected'])(
    'is not durable when %s fails, and says why',
    async (failing) => {
      const { appendMessages, failures } = createFixture(async (topic) => {
        if (topic === failing) throw new AppError('EVENT_LOG_FULL', 'full', { retriable: true })
      })
      const outcome = await appendMessages({ events: [record('a')], rejected: [record('b')] })
      expect(outcome.durable).toBe(false)
      await outcome.settled
      expect(await failures()).toEqual([['EVENT_LOG_FULL', 1]])
    },
  )

  it('is not durable when the log takes too long, and settles when the log does', async () => {
    let finish = () => {}
    const { appendMessages, failures } = createFixture(
      () =>
        new Promise((resolve) => {
          finish = resolve
        }),
    )
    const { durable, settled } = await appendMessages({ events: [record('a')], rejected: [] })
    expect(durable).toBe(false)
    expect(await failures()).toEqual([['timeout', 1]])
    finish()
    await expect(settled).resolves.toBeUndefined()
  })
})

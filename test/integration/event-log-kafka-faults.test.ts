import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { describeWithOwnKafka } from '../support/describe-with-kafka.ts'
import { eventually } from '../support/eventually.ts'
import { openTestLog } from '../support/open-test-log.ts'
import { readLog } from '../support/read-log.ts'

const KILLS = 3
const SENDERS = 8
const RECORDS = 20
/** A broker that died answers again within seconds, and its clients try again every second. */
const RECOVERY_TIMEOUT_MS = 60_000

await describeWithOwnKafka('the event log while its Kafka broker dies', (kafka) => {
  let log: EventLog

  beforeEach(async () => {
    log = await openTestLog({ url: kafka.url, topic_prefix: `faults-${randomUUID()}.` })
  })
  afterEach(async () => {
    await log.close()
  })

  it(
    `has every acknowledged record after ${KILLS} kill -9, and its consumer goes on by itself`,
    async () => {
      const acknowledged: string[] = []
      let isOver = false
      let request = 0
      const senders = Array.from({ length: SENDERS }, async () => {
        while (!isOver) {
          const values = Array.from({ length: RECORDS }, (_, index) => `${request}/${index}`)
          request += 1
          const records = values.map((value, index) => ({ key: `key-${index}`, value }))
          // A rejected append is unknown: it may be stored or not.
          await log.append(topics.events, records).then(
            () => acknowledged.push(...values),
            () => undefined,
          )
        }
      })
      const reader = await readLog(log, { topic: topics.events, group: 'detector', commit: true })
      for (let kill = 0; kill < KILLS; kill++) {
        const before = acknowledged.length
        const more = (count: number) => () => acknowledged.length > before + count
        await eventually(more(2000), { timeoutMs: RECOVERY_TIMEOUT_MS, what: 'appends are acknowledged' })
        await kafka.kill9()
        await kafka.restart()
      }
      const after = acknowledged.length
      await eventually(() => acknowledged.length > after + 2000, {
        timeoutMs: RECOVERY_TIMEOUT_MS,
        what: 'appends are acknowledged again',
      })
      isOver = true
      await Promise.all(senders)
      const read = new Set<string>()
      await eventually(
        () => {
          for (const { text } of reader.records) read.add(text)
          return acknowledged.every((value) => read.has(value))
        },
        { timeoutMs: RECOVERY_TIMEOUT_MS, what: 'every acknowledged record is read' },
      )
      expect(reader.failures).toEqual([])
      expect(repeats(reader.records)).toEqual([])
    },
    RECOVERY_TIMEOUT_MS * (KILLS + 2),
  )

  it('rejects an append within its time-out while the broker is away, says so, and recovers', async () => {
    await log.append(topics.alerts, [{ key: 'k', value: 'before' }])
    await kafka.kill9()
    const startedAt = performance.now()
    const appends = Array.from({ length: 20 }, (_, index) =>
      log.append(topics.alerts, [{ key: 'k', value: `${index}` }]),
    )
    const outcomes = await Promise.allSettled(appends)
    expect(performance.now() - startedAt).toBeLessThan(11_500)
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'EVENT_LOG_UNAVAILABLE', retriable: true },
      })
    }
    expect(await log.health()).toMatchObject({ ok: false })

    await kafka.restart()
    await eventually(
      async () => {
        await log.append(topics.alerts, [{ key: 'k', value: 'after' }])
      },
      { timeoutMs: RECOVERY_TIMEOUT_MS, what: 'appends are taken again' },
    )
    await eventually(async () => (await log.health()).ok, { timeoutMs: 10_000, what: 'it is healthy again' })
  }, 120_000)
})

describe('the event log without a Kafka broker', () => {
  it('cannot be opened, and says so soon', async () => {
    const startedAt = performance.now()
    const opening = openTestLog({ url: 'kafka://127.0.0.1:1' })
    await expect(opening).rejects.toBeInstanceOf(AppError)
    await expect(opening).rejects.toMatchObject({ code: 'EVENT_LOG_UNAVAILABLE', retriable: true })
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })
})

/** Offsets that a reader has got more than once, although it was never told to start over. */
function repeats(
  records: readonly { readonly partition: number; readonly offset: number }[],
): readonly string[] {
  const seen = new Set<string>()
  return records.flatMap(({ partition, offset }) => {
    const place = `${partition}/${offset}`
    const isRepeat = seen.has(place)
    seen.add(place)
    return isRepeat ? [place] : []
  })
}

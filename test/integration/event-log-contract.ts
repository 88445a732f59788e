import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AssignedPartition, EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { eventually } from '../support/eventually.ts'
import { holdPartition, isLost, readLog } from '../support/read-log.ts'

/** One empty log of an implementation, which may be opened any number of times. */
export type LogUnderTest = { open(): Promise<EventLog>; remove(): Promise<void> }

const GROUP = 'detector'
/** The topic with several partitions, and one with a single partition. */
const { events, alerts } = topics

/** What both logs promise; `create` makes an empty log whose event topic has four partitions. */
export function describeEventLogContract(create: () => Promise<LogUnderTest>): void {
  let underTest: LogUnderTest
  let log: EventLog
  const opened: EventLog[] = []

  const open = async () => {
    const another = await underTest.open()
    opened.push(another)
    return another
  }
  const own = async (from: EventLog, topic: string): Promise<AssignedPartition> => {
    const owned: AssignedPartition[] = []
    await from.consume({
      topic,
      group: GROUP,
      onFailure: (error) => expect.fail(String(error)),
      handle: holdPartition((partition) => owned.push(partition)),
    })
    return eventually(() => first(owned), { timeoutMs: 20_000, what: 'a partition is assigned' })
  }

  beforeEach(async () => {
    underTest = await create()
    log = await open()
  })
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close()
    await underTest.remove()
  })

  describe('appending and reading', () => {
    it('keeps the records of a key in order and on one partition', async () => {
      for (let round = 0; round < 20; round++) {
        const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
        await log.append(
          events,
          keys.map((key) => ({ key, value: `${key} ${round}` })),
        )
      }
      const reader = await readLog(log, { topic: events, group: GROUP })
      const records = await reader.received(140)
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
        const ofKey = records.filter((record) => record.key === key)
        expect(ofKey.map(({ text }) => text)).toEqual(
          Array.from({ length: 20 }, (_, round) => `${key} ${round}`),
        )
        expect(new Set(ofKey.map(({ partition }) => partition)).size).toBe(1)
      }
      expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(1)
    })

    it('shows a record to readers as soon as its append has resolved', async () => {
      const partition = await own(log, alerts)
      for (let round = 1; round <= 5; round++) {
        await log.append(alerts, [{ key: 'k', value: `${round}` }])
        expect(await partition.offsets()).toEqual({ start: 0, end: round })
      }
    })

    it('delivers every record of many appends at the same time once', async () => {
      const requests = Array.from({ length: 200 }, (_, request) =>
        Array.from({ length: 10 }, (__, index) => ({ key: `key-${index}`, value: `${request}/${index}` })),
      )
      await Promise.all(requests.map((records) => log.append(events, records)))
      const reader = await readLog(log, { topic: events, group: GROUP })
      const records = await reader.received(2000)
      const expected = requests.flat().map(({ value }) => value)
      expect(records.map(({ text }) => text).toSorted()).toEqual(expected.toSorted())
    })

    it('takes 10,000 records in one append and numbers them without a gap', async () => {
      await log.append(
        events,
        Array.from({ length: 10_000 }, (_, index) => ({ key: `key-${index % 50}`, value: `${index}` })),
      )
      const reader = await readLog(log, { topic: events, group: GROUP })
      const records = await reader.received(10_000)
      expect(new Set(records.map(({ text }) => text)).size).toBe(10_000)
      for (const partition of [0, 1, 2, 3]) {
        const offsets = records.filter((record) => record.partition === partition).map(({ offset }) => offset)
        expect(offsets).toEqual(offsets.map((_, index) => index))
      }
    })

    it('keeps values of a megabyte, text and bytes alike', async () => {
      const text = 'é'.repeat(512 * 1024)
      const bytes = Buffer.alloc(1024 * 1024, 7)
      await log.append(alerts, [
        { key: 'text', value: text },
        { key: 'bytes', value: new Uint8Array(bytes) },
        { key: 'empty', value: '' },
      ])
      const reader = await readLog(log, { topic: alerts, group: GROUP })
      const records = await reader.received(3)
      expect(records[0]?.text === text).toBe(true)
      expect(Buffer.from(records[1]?.value ?? []).equals(bytes)).toBe(true)
      expect(records[2]?.value.length).toBe(0)
    })

    it('keeps keys of any script', async () => {
      const keys = ['клич', '鍵', '🔑', 'a\u0000b', 'key with spaces', 'é'.repeat(60)]
      await log.append(
        events,
        keys.map((key) => ({ key, value: key })),
      )
      const reader = await readLog(log, { topic: events, group: GROUP })
      const records = await reader.received(keys.length)
      expect(records.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
      for (const { key, text } of records) expect(text).toBe(key)
    })

    it('says when it took a record', async () => {
      const before = Date.now()
      await log.append(alerts, [{ key: 'k', value: 'v' }])
      const reader = await readLog(log, { topic: alerts, group: GROUP })
      const [record] = await reader.received(1)
      expect(record?.appendedAtMs).toBeGreaterThanOrEqual(before)
      expect(record?.appendedAtMs).toBeLessThanOrEqual(Date.now())
    })

    it('refuses a topic that it does not have', async () => {
      await expect(log.append('no.such.topic', [{ key: 'k', value: 'v' }])).rejects.toThrow('no.such.topic')
    })

    it('goes on with the numbers after it was opened again', async () => {
      await log.append(alerts, [{ key: 'k', value: 'first' }])
      await log.close()
      const again = await open()
      await again.append(alerts, [{ key: 'k', value: 'second' }])
      const reader = await readLog(again, { topic: alerts, group: GROUP })
      const records = await reader.received(2)
      expect(records.map(({ offset, text }) => [offset, text])).toEqual([
        [0, 'first'],
        [1, 'second'],
      ])
    })
  })

  describe('a partition', () => {
    const numbers = Array.from({ length: 300 }, (_, index) => ({ key: 'k', value: `${index}` }))

    it('can be read from any retained offset, again and again', async () => {
      await log.append(alerts, numbers)
      const partition = await own(log, alerts)
      for (const fromOffset of [0, 299, 150, 150, 1, 298, 0, 0]) {
        const [record] = await partition.read({ fromOffset, maxRecords: 1, maxWaitMs: 10_000 })
        expect(record?.offset).toBe(fromOffset)
        expect(Buffer.from(record?.value ?? []).toString()).toBe(`${fromOffset}`)
      }
    })

    it('gives no more records than asked for, and goes on where they end', async () => {
      await log.append(alerts, numbers)
      const partition = await own(log, alerts)
      const seen: number[] = []
      while (seen.length < numbers.length) {
        const records = await partition.read({ fromOffset: seen.length, maxRecords: 70, maxWaitMs: 10_000 })
        expect(records.length).toBeGreaterThan(0)
        expect(records.length).toBeLessThanOrEqual(70)
        seen.push(...records.map(({ offset }) => offset))
      }
      expect(seen).toEqual(numbers.map((_, index) => index))
    })

    it('waits for the first record, and answers an empty list when none comes', async () => {
      const partition = await own(log, alerts)
      const startedAt = performance.now()
      expect(await partition.read({ fromOffset: 0, maxRecords: 10, maxWaitMs: 300 })).toEqual([])
      expect(performance.now() - startedAt).toBeGreaterThan(290)
    })

    it('wakes a waiting reader when a record comes', async () => {
      const partition = await own(log, alerts)
      const startedAt = performance.now()
      const read = partition.read({ fromOffset: 0, maxRecords: 10, maxWaitMs: 30_000 })
      await log.append(alerts, [{ key: 'k', value: 'v' }])
      expect(await read).toHaveLength(1)
      expect(performance.now() - startedAt).toBeLessThan(5000)
    })

    it('says how far it reaches', async () => {
      const partition = await own(log, alerts)
      expect(await partition.offsets()).toEqual({ start: 0, end: 0 })
      await log.append(alerts, numbers)
      expect(await partition.offsets()).toEqual({ start: 0, end: 300 })
    })
  })

  describe('a consumer group', () => {
    it('that never committed is at the first retained offset', async () => {
      await log.append(alerts, [{ key: 'k', value: 'v' }])
      const partition = await own(log, alerts)
      expect(await partition.committed()).toEqual({ offset: 0, metadata: '' })
    })

    it('finds its position and the text kept with it after the log was opened again', async () => {
      await log.append(alerts, [{ key: 'k', value: 'v' }])
      const metadata = `intent:${'x'.repeat(900)}`
      await (await own(log, alerts)).commit({ offset: 1, metadata })
      await log.close()
      const partition = await own(await open(), alerts)
      expect(await partition.committed()).toEqual({ offset: 1, metadata })
      await partition.commit({ offset: 1, metadata: '' })
      expect(await partition.committed()).toEqual({ offset: 1, metadata: '' })
    })

    it('does not see the position of another group', async () => {
      await log.append(alerts, [{ key: 'k', value: 'v' }])
      await (await own(log, alerts)).commit({ offset: 1, metadata: 'mine' })
      const reader = await readLog(log, { topic: alerts, group: 'notifier' })
      expect(await reader.received(1)).toHaveLength(1)
    })

    it('tells its positions to anybody, whoever owns the partitions', async () => {
      await log.append(alerts, [{ key: 'k', value: 'v' }])
      await (await own(log, alerts)).commit({ offset: 1, metadata: 'mine' })
      const other = await open()
      const clean = { offset: 0, metadata: '' }
      expect(await other.positions({ topic: alerts, group: GROUP })).toEqual([
        { offset: 1, metadata: 'mine' },
      ])
      expect(await other.positions({ topic: events, group: GROUP })).toEqual([clean, clean, clean, clean])
    })

    it('hands a partition to a second member when the first stops, and goes on at the position', async () => {
      await log.append(
        alerts,
        [1, 2, 3].map((value) => ({ key: 'k', value: `${value}` })),
      )
      const first = await readLog(log, { topic: alerts, group: GROUP, commit: true })
      await first.received(3)
      const second = await readLog(await open(), { topic: alerts, group: GROUP, commit: true })
      await first.stop()
      await log.append(alerts, [{ key: 'k', value: '4' }])
      const records = await second.received(1)
      expect(records.map(({ text }) => text)).toEqual(['4'])
      expect(second.failures).toEqual([])
    })

    it('lets nobody move its position or read with a partition that was lost', async () => {
      await log.append(alerts, [{ key: 'k', value: 'v' }])
      const owned: AssignedPartition[] = []
      const stop = await log.consume({
        topic: alerts,
        group: GROUP,
        onFailure: (error) => expect.fail(String(error)),
        handle: holdPartition((partition) => owned.push(partition)),
      })
      const lost = await eventually(() => first(owned), {
        timeoutMs: 20_000,
        what: 'a partition is assigned',
      })
      await stop()
      expect(lost.lost.aborted).toBe(true)
      await expect(lost.commit({ offset: 1, metadata: 'stolen' })).rejects.toSatisfy(isLost)
      await expect(lost.read({ fromOffset: 0, maxRecords: 1, maxWaitMs: 0 })).rejects.toSatisfy(isLost)
      await expect(lost.offsets()).rejects.toSatisfy(isLost)
      await expect(lost.committed()).rejects.toSatisfy(isLost)
      const next = await own(await open(), alerts)
      expect(await next.committed()).toEqual({ offset: 0, metadata: '' })
    })

    it('ends a waiting read when it stops', async () => {
      let outcome: Promise<unknown> | undefined
      const stop = await log.consume({
        topic: alerts,
        group: GROUP,
        onFailure: (error) => expect.fail(String(error)),
        async handle(partition) {
          outcome = partition
            .read({ fromOffset: 0, maxRecords: 1, maxWaitMs: 60_000 })
            .catch((error: unknown) => error)
          await outcome
        },
      })
      await eventually(() => outcome !== undefined, { timeoutMs: 20_000, what: 'a reader waits' })
      await stop()
      expect(isLost(await outcome)).toBe(true)
    })

    it.each([
      {
        how: 'rejects',
        handle: () => Promise.reject(new Error('broken handler')),
        message: 'broken handler',
      },
      { how: 'returns early', handle: () => Promise.resolve(), message: 'returned while it owned it' },
    ])('reports a handler that $how, once', async ({ handle, message }) => {
      const failures: unknown[] = []
      await log.consume({ topic: events, group: GROUP, handle, onFailure: (error) => failures.push(error) })
      await eventually(() => failures.length > 0, { timeoutMs: 20_000, what: 'the failure is reported' })
      expect(String(failures[0])).toContain(message)
      await log.close()
      expect(failures).toHaveLength(1)
    })
  })

  it('says that it is healthy', async () => {
    expect(await log.health()).toEqual({ ok: true })
  })

  it('finishes the appends under way when it is closed', async () => {
    const appends = Promise.all(
      Array.from({ length: 50 }, (_, index) => log.append(alerts, [{ key: 'k', value: `${index}` }])),
    )
    await log.close()
    await appends
    const reader = await readLog(await open(), { topic: alerts, group: GROUP })
    expect(await reader.received(50)).toHaveLength(50)
  })
}

function first<Item>(items: readonly Item[]): Item {
  const [item] = items
  if (item === undefined) throw new Error('there is none yet')
  return item
}

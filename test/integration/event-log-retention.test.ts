import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AssignedPartition, EventLog } from '#shared/event-log/event-log.ts'
import { deleteExpired } from '#shared/event-log/file-retention.ts'
import { openFileStore, type FileStore } from '#shared/event-log/file-store.ts'
import { topics } from '#shared/event-log/topics.ts'
import { eventually } from '../support/eventually.ts'
import { eventLogConfig, openTestLog, temporaryLogDirectory } from '../support/open-test-log.ts'
import { readLog } from '../support/read-log.ts'

describe('the retention of the event log on the local disk', () => {
  let directory: Awaited<ReturnType<typeof temporaryLogDirectory>>
  let log: EventLog
  let store: FileStore
  let partition: AssignedPartition
  let warnings: string[]

  const appendNumbers = async (from: number, count: number) => {
    for (let number = from; number < from + count; number++) {
      await log.append(topics.alerts, [{ key: 'k', value: `${number}` }])
    }
  }
  const expire = (cutoffMs: number) => {
    const lines = new Writable({
      write(chunk, _encoding, done) {
        warnings.push(String(chunk))
        done()
      },
    })
    return deleteExpired(store, { cutoffMs, log: pino({ level: 'warn' }, lines) })
  }

  beforeEach(async () => {
    directory = await temporaryLogDirectory()
    warnings = []
    log = await openTestLog({ url: directory.url })
    // A second process has its own store; here both are in one.
    const path = directory.url.slice('file:'.length)
    store = openFileStore(path, eventLogConfig({ url: directory.url }), pino({ level: 'silent' }))
    const reader = await readLog(log, { topic: topics.alerts, group: 'notifier' })
    partition = await eventually(
      () => {
        const [assigned] = reader.assigned
        if (assigned === undefined) throw new Error('not assigned yet')
        return assigned
      },
      { timeoutMs: 5000, what: 'a partition is assigned' },
    )
  })
  afterEach(async () => {
    await log.close()
    await store.close()
    await directory.remove()
  })

  it('deletes what is older than the limit and nothing else, and never gives an offset twice', async () => {
    await appendNumbers(0, 400)
    await partition.commit({ offset: 400, metadata: '' })
    const cutoffMs = await laterThan(Date.now())
    await appendNumbers(400, 5)
    await expire(cutoffMs)
    expect(await partition.offsets()).toEqual({ start: 400, end: 405 })
    const [first] = await partition.read({ fromOffset: 0, maxRecords: 1, maxWaitMs: 0 })
    expect(first?.offset).toBe(400)
    expect(warnings).toEqual([])

    await expire((await laterThan(Date.now())) + 1)
    expect(await partition.offsets()).toEqual({ start: 405, end: 405 })
    await appendNumbers(405, 1)
    expect(await partition.offsets()).toEqual({ start: 405, end: 406 })
  })

  it('does not delete in silence what a group has not read', async () => {
    await appendNumbers(0, 10)
    await partition.commit({ offset: 4, metadata: '' })
    await expire((await laterThan(Date.now())) + 1)
    expect(await partition.offsets()).toEqual({ start: 10, end: 10 })
    expect(warnings).toHaveLength(1)
    expect(JSON.parse(warnings[0] ?? '')).toMatchObject({ topic: topics.alerts, partition: 0, unread: 6 })
  })

  it('counts the space of deleted records as free', async () => {
    await appendNumbers(0, 50)
    store.refresh()
    expect(store.counter('bytes')).toBeGreaterThan(0)
    await expire((await laterThan(Date.now())) + 1)
    store.refresh()
    expect(store.counter('bytes')).toBe(0)
  })
})

/** The first instant of the clock after `instantMs`, which is in whole milliseconds. */
function laterThan(instantMs: number): Promise<number> {
  return eventually(
    () => {
      if (Date.now() <= instantMs) throw new Error('the clock has not moved on')
      return Date.now()
    },
    { timeoutMs: 1000, what: 'the clock moves on' },
  )
}

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { topics } from '#shared/event-log/topics.ts'
import { openTestLog, temporaryLogDirectory } from '../support/open-test-log.ts'
import { readLog } from '../support/read-log.ts'
import { describeEventLogContract } from './event-log-contract.ts'

describe('the event log on the local disk', () => {
  describeEventLogContract(async () => {
    const { url, remove } = await temporaryLogDirectory()
    return { open: () => openTestLog({ url }), remove }
  })

  it('reads no more at a time than memory has room for, however many records are asked for', async () => {
    const { url, remove } = await temporaryLogDirectory()
    const log = await openTestLog({ url })
    const value = Buffer.alloc(1024 * 1024)
    for (let count = 0; count < 40; count += 1) await log.append(topics.alerts, [{ key: 'large', value }])
    const reader = await readLog(log, { topic: topics.alerts, group: randomUUID() })
    await reader.received(40)
    const [partition] = reader.assigned
    const read = await partition?.read({ fromOffset: 0, maxRecords: 5000, maxWaitMs: 0 })
    expect(read?.map(({ offset }) => offset)).toEqual(Array.from({ length: 16 }, (_, offset) => offset))
    await reader.stop()
    await log.close()
    await remove()
  })
})

import { describe } from 'vitest'
import { openTestLog, temporaryLogDirectory } from '../support/open-test-log.ts'
import { describeEventLogContract } from './event-log-contract.ts'

describe('the event log on the local disk', () => {
  describeEventLogContract(async () => {
    const { url, remove } = await temporaryLogDirectory()
    return { open: () => openTestLog({ url }), remove }
  })
})

import { randomUUID } from 'node:crypto'
import { describeWithKafka } from '../support/describe-with-kafka.ts'
import { openTestLog } from '../support/open-test-log.ts'
import { describeEventLogContract } from './event-log-contract.ts'

await describeWithKafka('the event log on Kafka', ({ url }) => {
  describeEventLogContract(() => {
    const settings = { url, topic_prefix: `contract-${randomUUID()}.` }
    return Promise.resolve({ open: () => openTestLog(settings), remove: () => Promise.resolve() })
  })
})

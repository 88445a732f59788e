import { describe, expect, it } from 'vitest'
import { createCommitter } from './kafka-commit.ts'

const position = { offset: 7, metadata: 'intent' }

/** What the broker answers a commit with, as kafkajs reports it. */
function brokerError(type: string): Error {
  return Object.assign(new Error(type), { type })
}

/** A committer whose commits are answered one by one: undefined succeeds. */
function answering(...answers: readonly (Error | undefined)[]) {
  const commits: unknown[] = []
  const committer = createCommitter(
    { commitOffsets: () => Promise.reject(new Error('tries again by itself')) },
    't',
  )
  committer.use({
    commitOffsetsIfNecessary(offsets) {
      const answer = answers[commits.push(offsets) - 1]
      return answer === undefined ? Promise.resolve() : Promise.reject(answer)
    },
  })
  return { committer, commits }
}

describe('createCommitter', () => {
  it('commits the offset with its metadata', async () => {
    const { committer, commits } = answering()
    await committer.commit(2, position, new AbortController().signal)
    expect(commits).toEqual([
      { topics: [{ topic: 't', partitions: [{ partition: 2, offset: '7', metadata: 'intent' }] }] },
    ])
  })

  it.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'])(
    'takes %s for the loss of the partition, and does not try again',
    async (type) => {
      const { committer, commits } = answering(brokerError(type))
      const commit = committer.commit(2, position, new AbortController().signal)
      await expect(commit).rejects.toMatchObject({ code: 'PARTITION_LOST' })
      expect(commits).toHaveLength(1)
    },
  )

  it('finds that answer behind the error that kafkajs wraps it in', async () => {
    const { committer } = answering(new Error('wrapped', { cause: brokerError('ILLEGAL_GENERATION') }))
    const commit = committer.commit(2, position, new AbortController().signal)
    await expect(commit).rejects.toMatchObject({ code: 'PARTITION_LOST' })
  })

  it('tries again while the broker is not there', async () => {
    const { committer, commits } = answering(brokerError('NOT_COORDINATOR_FOR_GROUP'), new Error('closed'))
    await committer.commit(2, position, new AbortController().signal)
    expect(commits).toHaveLength(3)
  })

  it('ends that when the partition is lost', async () => {
    const lost = new AbortController()
    const { committer, commits } = answering(new Error('closed'), new Error('closed'))
    const commit = committer.commit(2, position, lost.signal)
    lost.abort()
    await expect(commit).rejects.toMatchObject({ code: 'PARTITION_LOST' })
    expect(commits).toHaveLength(1)
  })
})

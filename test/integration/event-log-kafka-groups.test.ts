import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { describeWithKafka } from '../support/describe-with-kafka.ts'
import { eventually } from '../support/eventually.ts'
import { openTestLog } from '../support/open-test-log.ts'
import { readLog } from '../support/read-log.ts'
import { spawnScript, type SpawnedScript } from '../support/spawn-script.ts'

const GROUP = 'detector'
/** Twice the members' session time-out of 6 s, and some for a busy machine. */
const TAKEOVER_TIMEOUT_MS = 30_000

await describeWithKafka('consumer groups on Kafka', ({ url }) => {
  let prefix: string
  let log: EventLog
  const scripts: SpawnedScript[] = []

  const startMember = (member: string, topic: string) => {
    const env = { LOG_URL: url, LOG_TOPIC_PREFIX: prefix, GROUP, MEMBER: member, TOPIC: topic }
    const script = spawnScript('event-log-member.ts', env)
    scripts.push(script)
    return script
  }
  const open = (partitions = 4) =>
    openTestLog({ url, topic_prefix: prefix, partitions, session_timeout_ms: 6000 })

  beforeEach(async () => {
    prefix = `groups-${randomUUID()}.`
    log = await open()
  })
  afterEach(async () => {
    for (const script of scripts.splice(0)) await script.kill9()
    await log.close()
  })

  it('share the partitions between two members, and give them all to the one that is left after a kill -9', async () => {
    const first = startMember('first', topics.events)
    await first.waitForLine(/^owns 3$/)
    const second = startMember('second', topics.events)
    const now = { first: ownedNow(first.lines), second: ownedNow(second.lines) }
    await eventually(
      () => {
        now.first = ownedNow(first.lines)
        now.second = ownedNow(second.lines)
        return now.first.length === 2 && now.second.length === 2
      },
      { timeoutMs: TAKEOVER_TIMEOUT_MS, what: 'each owns two of four' },
    )
    expect([...now.first, ...now.second].toSorted()).toEqual(['0', '1', '2', '3'])

    await first.kill9()
    await log.append(
      topics.events,
      Array.from({ length: 40 }, (_, index) => ({ key: `${index}`, value: `${index}` })),
    )
    await eventually(() => ownedNow(second.lines).length === 4, {
      timeoutMs: TAKEOVER_TIMEOUT_MS,
      what: 'the second owns all four',
    })
    await eventually(() => second.lines.filter((line) => line.startsWith('read ')).length >= 40, {
      timeoutMs: 10_000,
      what: 'the second reads everything',
    })
  })

  it('let a member that slept longer than its session commit nothing any more', async () => {
    const sleeper = startMember('sleeper', topics.alerts)
    await sleeper.waitForLine(/^owns 0$/)
    sleeper.signal('SIGSTOP')
    const reader = await readLog(log, { topic: topics.alerts, group: GROUP })
    const partition = await eventually(
      () => {
        const owned = reader.assigned.at(-1)
        if (owned === undefined || owned.lost.aborted) throw new Error('not assigned')
        return owned
      },
      { timeoutMs: TAKEOVER_TIMEOUT_MS, what: 'the sleeper is given up' },
    )
    await partition.commit({ offset: 0, metadata: 'the new owner' })
    const before = sleeper.lines.length
    sleeper.signal('SIGCONT')
    const lost = await eventually(
      () => sleeper.lines.indexOf('lost 0') > 0 && sleeper.lines.indexOf('lost 0'),
      {
        timeoutMs: TAKEOVER_TIMEOUT_MS,
        what: 'the sleeper notices',
      },
    )
    // The answer to a commit that was under way when it fell asleep may have been waiting for it.
    const answered = sleeper.lines[before - 1] === 'committing' ? before + 1 : before
    expect(sleeper.lines.slice(answered, Number(lost))).not.toContain('committed')
  })

  it('keep the number of partitions that the topic has', async () => {
    const other = await open(9)
    await other.append(topics.events, [{ key: 'k', value: 'v' }])
    const reader = await readLog(other, { topic: topics.events, group: GROUP })
    await reader.received(1)
    expect(reader.assigned).toHaveLength(4)
    await other.close()
  })
})

/** What a member owns by the lines that test/fixtures/event-log-member.ts has written. */
function ownedNow(lines: readonly string[]): string[] {
  const owned = new Set<string>()
  for (const line of lines) {
    const [word, partition = ''] = line.split(' ')
    if (word === 'owns') owned.add(partition)
    if (word === 'lost') owned.delete(partition)
  }
  return [...owned]
}

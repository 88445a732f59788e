import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { findStoredFaults } from '../support/acknowledged.ts'
import { eventually } from '../support/eventually.ts'
import { openTestLog, temporaryLogDirectory } from '../support/open-test-log.ts'
import { readLog } from '../support/read-log.ts'
import { spawnScript, type SpawnedScript } from '../support/spawn-script.ts'

const KILLS = 20
/** The schedule of the kills; another seed is another schedule. */
const SEED = 20_261_124
const MIB = 1024 * 1024

/** A linear congruential generator (Numerical Recipes' constants): the same schedule in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('the event log on the local disk, when things fail', () => {
  let directory: Awaited<ReturnType<typeof temporaryLogDirectory>>
  let log: EventLog | undefined
  const scripts: SpawnedScript[] = []
  const spawn = (...args: Parameters<typeof spawnScript>) => {
    const script = spawnScript(...args)
    scripts.push(script)
    return script
  }

  beforeEach(async () => {
    directory = await temporaryLogDirectory()
  })
  afterEach(async () => {
    for (const script of scripts.splice(0)) await script.kill9()
    await log?.close()
    log = undefined
    await directory.remove()
  })

  it(`has every acknowledged record after ${KILLS} kill -9 of the writer, and no part of a request`, async () => {
    const random = seeded(SEED)
    const acknowledged = `${directory.url.slice('file:'.length)}.acknowledged`
    const acknowledgedLines = async () =>
      (await readFile(acknowledged, 'utf8').catch(() => '')).split('\n').length
    for (let run = 0; run < KILLS; run++) {
      const before = await acknowledgedLines()
      const writer = spawn('event-log-writer.ts', {
        LOG_URL: directory.url,
        ACKNOWLEDGED_FILE: acknowledged,
        RUN: `${run}`,
      })
      const wanted = before + 5 + Math.floor(random() * 300)
      await eventually(async () => (await acknowledgedLines()) > wanted, {
        timeoutMs: 20_000,
        what: 'appends are acknowledged',
      })
      await writer.kill9()
    }
    log = await openTestLog({ url: directory.url })
    const faults = await findStoredFaults(log, await readFile(acknowledged, 'utf8'))
    expect(faults).toMatchObject({ lost: [], repeated: [], partial: [], gaps: [] })
    expect(faults.acknowledgedRequests).toBeGreaterThan(KILLS * 5)
  }, 120_000)

  it('lets a second process take over at once from an owner that was killed', async () => {
    log = await openTestLog({ url: directory.url })
    await log.append(topics.alerts, [{ key: 'k', value: 'one' }])
    const env = { LOG_URL: directory.url, GROUP: 'notifier' }
    const first = spawn('event-log-member.ts', { ...env, MEMBER: 'first' })
    await first.waitForLine(/^read 0 0 one$/)
    const second = spawn('event-log-member.ts', { ...env, MEMBER: 'second' })
    await second.waitForLine(/^joined$/)
    expect(second.lines).not.toContain('owns 0')
    const killedAt = performance.now()
    await first.kill9()
    await second.waitForLine(/^owns 0$/)
    expect(performance.now() - killedAt).toBeLessThan(5000)
    await log.append(topics.alerts, [{ key: 'k', value: 'two' }])
    await second.waitForLine(/^read 0 1 two$/)
  })

  it('fences an owner that slept longer than its lease', async () => {
    const env = { LOG_URL: directory.url, GROUP: 'notifier' }
    const sleeper = spawn('event-log-member.ts', { ...env, MEMBER: 'sleeper' })
    await sleeper.waitForLine(/^owns 0$/)
    sleeper.signal('SIGSTOP')
    log = await openTestLog({ url: directory.url })
    const reader = await readLog(log, { topic: topics.alerts, group: 'notifier' })
    const partition = await eventually(() => firstOf(reader.assigned), {
      timeoutMs: 30_000,
      what: 'the sleeper is given up',
    })
    await partition.commit({ offset: 0, metadata: 'the new owner' })
    sleeper.signal('SIGCONT')
    await sleeper.waitForLine(/^lost 0$/)
    expect(await partition.committed()).toEqual({ offset: 0, metadata: 'the new owner' })
    expect(partition.lost.aborted).toBe(false)
  })

  it('shows a record of one process to a waiting reader of another within a moment', async () => {
    const reader = spawn('event-log-member.ts', {
      LOG_URL: directory.url,
      GROUP: 'notifier',
      MEMBER: 'reader',
    })
    await reader.waitForLine(/^owns 0$/)
    log = await openTestLog({ url: directory.url })
    for (let round = 0; round < 5; round++) {
      const appendedAt = performance.now()
      await log.append(topics.alerts, [{ key: 'k', value: `round ${round}` }])
      await reader.waitForLine(new RegExp(`^read 0 ${round} round ${round}$`))
      expect(performance.now() - appendedAt).toBeLessThan(1000)
    }
  })

  it('rejects every waiting append when the disk refuses the write, and loses nothing that it accepted', async () => {
    const acknowledged = `${directory.url.slice('file:'.length)}.acknowledged`
    // The largest file this process may write, in units of 512 bytes: a disk that is full after 2 MiB.
    const writer = spawn(
      'event-log-writer.ts',
      { LOG_URL: directory.url, ACKNOWLEDGED_FILE: acknowledged, RUN: 'full' },
      `trap '' XFSZ; ulimit -f ${(2 * MIB) / 512}`,
    )
    await writer.waitForLine(/^refused AppError/)
    await writer.kill9()
    log = await openTestLog({ url: directory.url })
    const faults = await findStoredFaults(log, await readFile(acknowledged, 'utf8'))
    expect(faults).toMatchObject({ lost: [], repeated: [], partial: [], gaps: [] })
    expect(faults.acknowledgedRequests).toBeGreaterThan(0)
  })

  it('keeps the number of partitions that a topic was created with', async () => {
    const four = await openTestLog({ url: directory.url, partitions: 4 })
    await four.append(
      topics.events,
      [1, 2, 3, 4, 5, 6, 7, 8].map((key) => ({ key: `${key}`, value: 'v' })),
    )
    await four.close()
    log = await openTestLog({ url: directory.url, partitions: 9 })
    const reader = await readLog(log, { topic: topics.events, group: 'detector' })
    await reader.received(8)
    expect(reader.assigned).toHaveLength(4)
  })

  it('refuses appends when unread records fill it, and takes them again once they are consumed', async () => {
    log = await openTestLog({ url: directory.url, size_limit_bytes: 64 * MIB })
    const append = (to: EventLog) =>
      to.append(
        topics.alerts,
        Array.from({ length: 64 }, () => ({ key: 'k', value: 'x'.repeat(60 * 1024) })),
      )
    const reader = await readLog(log, { topic: topics.alerts, group: 'detector' })
    const partition = await eventually(() => firstOf(reader.assigned), {
      timeoutMs: 5000,
      what: 'it is assigned',
    })
    let appended = 0
    const full = await eventually(
      async () => {
        if (log === undefined) return false
        const failure: unknown = await append(log).then(
          () => undefined,
          (error: unknown) => error,
        )
        if (failure === undefined) appended += 64
        return failure ?? false
      },
      { timeoutMs: 30_000, what: 'the log is full' },
    )
    expect(full).toBeInstanceOf(AppError)
    expect(full).toMatchObject({ code: 'EVENT_LOG_FULL', retriable: true })
    expect(appended).toBeGreaterThan(900)
    expect(await partition.offsets()).toEqual({ start: 0, end: appended })
    expect(await log.health()).toMatchObject({ ok: false })

    await partition.commit({ offset: appended - 64, metadata: '' })
    expect(await log.health()).toEqual({ ok: true })
    await append(log)
    const { start, end } = await partition.offsets()
    expect(end).toBe(appended + 64)
    expect(start).toBeGreaterThan(0)
    expect(start).toBeLessThanOrEqual(appended - 64)
  }, 60_000)
})

function firstOf<Item>(items: readonly Item[]): Item {
  const [item] = items
  if (item === undefined) throw new Error('there is none yet')
  return item
}

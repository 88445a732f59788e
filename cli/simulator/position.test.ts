import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { liveSpans, missingHistory, readPosition, writePosition, type Position } from './position.ts'
import { ensureSimulatorKeys, simulatorDirectory } from './sources.ts'

const HOUR_MS = 3_600_000
const NOW_MS = Date.UTC(2026, 2, 4, 9)
const wish = { nowMs: NOW_MS, historyMs: 28 * 24 * HOUR_MS, seed: 1, rate: 1 }

describe('the position', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keywatch-position-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('is empty at the first start and afterwards what was written last', async () => {
    expect(await readPosition(directory)).toEqual({ v: 1 })
    const position: Position = { v: 1, posting_until_ms: 5, delivered_until_ms: 3 }
    await writePosition(directory, { v: 1 })
    await writePosition(directory, position)
    expect(await readPosition(directory)).toEqual(position)
  })

  it('says what to do when its file is damaged', async () => {
    await ensureSimulatorKeys(directory)
    await writeFile(join(simulatorDirectory(directory), 'position.json'), '{')
    await expect(readPosition(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('missingHistory', () => {
  it('is the whole wish at the first start', () => {
    expect(missingHistory({ v: 1 }, wish)).toEqual([
      { fromMs: NOW_MS - wish.historyMs, untilMs: NOW_MS, seed: 1, rate: 1 },
    ])
  })

  it('begins with an interrupted load exactly as it was begun, then adds what happened since', () => {
    const history = { from_ms: 1, until_ms: NOW_MS - HOUR_MS, seed: 9, rate: 2, complete: false }
    expect(missingHistory({ v: 1, history }, wish)).toEqual([
      { fromMs: 1, untilMs: NOW_MS - HOUR_MS, seed: 9, rate: 2 },
      { fromMs: NOW_MS - HOUR_MS, untilMs: NOW_MS, seed: 1, rate: 1 },
    ])
  })

  it('never covers what live traffic posted or may have posted', () => {
    const history = { from_ms: 1, until_ms: NOW_MS - 9 * HOUR_MS, seed: 1, rate: 1, complete: true }
    const position: Position = {
      v: 1,
      history,
      delivered_until_ms: NOW_MS - 6 * HOUR_MS,
      posting_until_ms: NOW_MS - 5 * HOUR_MS,
    }
    expect(missingHistory(position, wish)).toMatchObject([{ fromMs: NOW_MS - 5 * HOUR_MS, untilMs: NOW_MS }])
  })
})

describe('history and live traffic together', () => {
  it('cover every instant since the first load, each once, except what may already have been posted', () => {
    const instant = fc.integer({ min: 0, max: 20 }).map((hours) => NOW_MS - hours * HOUR_MS)
    fc.assert(
      fc.property(fc.tuple(instant, instant, instant), fc.boolean(), (instants, complete) => {
        const [loadedMs = 0, deliveredMs = 0, postingMs = 0] = instants.toSorted((a, b) => a - b)
        const history = { from_ms: 1, until_ms: loadedMs, seed: 1, rate: 1, complete }
        const before: Position = {
          v: 1,
          history,
          delivered_until_ms: deliveredMs,
          posting_until_ms: postingMs,
        }
        const loads = missingHistory(before, wish)
        const last = loads.at(-1)
        const untilMs = last?.untilMs ?? loadedMs
        const after: Position = {
          ...before,
          history: { ...history, until_ms: Math.max(untilMs, loadedMs), complete: true },
        }
        const live = liveSpans(after, NOW_MS)
        const added = loads.filter(({ fromMs }) => fromMs !== 1)
        const spans = [...added, ...live].toSorted((left, right) => left.fromMs - right.fromMs)
        // From the end of what is certain, the spans follow one another without gap or overlap.
        let coveredMs = deliveredMs
        for (const span of spans) {
          expect(span.fromMs).toBe(coveredMs)
          coveredMs = span.untilMs
        }
        expect(coveredMs).toBe(Number.POSITIVE_INFINITY)
      }),
    )
  })
})

describe('liveSpans', () => {
  it('begins now when nothing is known', () => {
    expect(liveSpans({ v: 1 }, NOW_MS)).toEqual([{ fromMs: NOW_MS, untilMs: Number.POSITIVE_INFINITY }])
  })

  it('goes back a day at most, as SendGrid does', () => {
    const position: Position = {
      v: 1,
      delivered_until_ms: NOW_MS - 90 * HOUR_MS,
      posting_until_ms: NOW_MS - 89 * HOUR_MS,
    }
    expect(liveSpans(position, NOW_MS)).toEqual([
      { fromMs: NOW_MS - 24 * HOUR_MS, untilMs: Number.POSITIVE_INFINITY },
    ])
  })
})

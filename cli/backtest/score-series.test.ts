import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { scoreSeries } from './score-series.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywatch-series-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function score(csv: string) {
  const [input, output] = [join(folder, 'in.csv'), join(folder, 'out.csv')]
  writeFileSync(input, csv)
  const seen: [number, number][] = []
  const scorer = {
    score: (seconds: number, value: number) => {
      seen.push([seconds, value])
      return seen.length / 10
    },
  }
  const report = await scoreSeries(input, output, { scorer })
  return { report, seen, written: readFileSync(output, 'utf8') }
}

describe('scoreSeries', () => {
  it('writes each row with its score behind it, times and values as they stood', async () => {
    const { seen, written } = await score(
      'timestamp,value\n2014-04-01 00:00:00,1.50\r\n2014-04-01 00:05:00,-2e3\n',
    )
    expect(written).toBe(
      'timestamp,value,anomaly_score\n2014-04-01 00:00:00,1.50,0.1\n2014-04-01 00:05:00,-2e3,0.2\n',
    )
    expect(seen).toEqual([
      [Date.parse('2014-04-01T00:00:00Z') / 1000, 1.5],
      [Date.parse('2014-04-01T00:05:00Z') / 1000, -2000],
    ])
  })

  it.each([
    ['1700000000', 1_700_000_000],
    ['2026-03-01T10:00:00+02:00', Date.parse('2026-03-01T08:00:00Z') / 1000],
    ['2026-03-01', Date.parse('2026-03-01T00:00:00Z') / 1000],
  ])('reads the time %s', async (timestamp, seconds) => {
    expect((await score(`timestamp,value\n${timestamp},1\n`)).seen).toEqual([[seconds, 1]])
  })

  it('counts and leaves out what is no row', async () => {
    const { report } = await score(
      'timestamp,value\n2014-04-01 00:00:00,\nyesterday,3\n2014-04-01 00:10:00,4\n',
    )
    expect(report).toEqual({
      rows: 1,
      bad_lines: 2,
      bad_line_samples: [
        { line: 2, fault: 'the value is not a number' },
        { line: 3, fault: 'the timestamp is not a time' },
      ],
    })
  })

  it('fails where there is no row at all', async () => {
    await expect(score('timestamp,value\n')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})

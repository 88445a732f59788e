import { describe, expect, it } from 'vitest'
import { createLineFormatter } from './log-line.ts'

const entry = (level: number, msg: string) =>
  JSON.stringify({ level, time: 1_700_000_000_000, service: 'ingest', msg })

describe('createLineFormatter', () => {
  it('leaves out what is below a warning unless asked for more', () => {
    expect(
      createLineFormatter({ colour: false, verbose: false })('ingest', entry(30, 'started')),
    ).toBeUndefined()
    expect(createLineFormatter({ colour: false, verbose: true })('ingest', entry(30, 'started'))).toMatch(
      /^ingest {4}\| .*INFO.*started$/,
    )
  })

  it('shows a warning with the name of its service', () => {
    expect(createLineFormatter({ colour: false, verbose: false })('detector', entry(40, 'lagging'))).toMatch(
      /^detector {2}\| .*WARN.*lagging$/,
    )
  })

  it.each(['ALERT critical', '', '{broken', '{"no":"level"}'])(
    'passes a line that is no log entry: %j',
    (line) => {
      expect(createLineFormatter({ colour: false, verbose: false })('notifier', line)).toBe(line)
    },
  )
})

import { describe, expect, it } from 'vitest'
import { expandMacros, type MacroContext } from '../support/grafana-macros.ts'

const context: MacroContext = {
  fromSeconds: 1000,
  toSeconds: 2000,
  intervalSeconds: 60,
  variables: { source: ['main', "o'clock"], key: 'all' },
}

describe('expandMacros', () => {
  it.each([
    { sql: 'c >= $__fromTime AND c <= $__toTime', to: 'c >= toDateTime(1000) AND c <= toDateTime(2000)' },
    { sql: '$__timeInterval(c)', to: 'toStartOfInterval(toDateTime(c), INTERVAL 60 second)' },
    {
      sql: '$__timeInterval($__fromTime)',
      to: 'toStartOfInterval(toDateTime(toDateTime(1000)), INTERVAL 60 second)',
    },
    { sql: 'n / $__interval_s', to: 'n / 60' },
    { sql: '$__conditionalAll(key IN (${key:csv}), $key)', to: '1=1' },
    {
      sql: '$__conditionalAll(source IN (${source:singlequote}), $source)',
      to: "source IN ('main','o\\'clock')",
    },
    {
      sql: "$__conditionalAll(s IN (f(',', '${source:csv}')), $source) AND $__conditionalAll(k = 1, $key)",
      to: "s IN (f(',', 'main,o'clock')) AND 1=1",
    },
  ])('turns $sql into $to', ({ sql, to }) => {
    expect(expandMacros(sql, context)).toBe(to)
  })

  it.each(['$__rate_interval', '$source', '${host:csv}', '$__conditionalAll(a = 1)', '$__timeInterval(c'])(
    'refuses %s, which would reach ClickHouse as it is',
    (sql) => {
      expect(() => expandMacros(sql, context)).toThrow(
        /nothing expands|has no values|needs a condition|is not closed/,
      )
    },
  )

  it('uses an interval of at least a second', () => {
    expect(expandMacros('$__interval_s', { ...context, intervalSeconds: 0.2 })).toBe('1')
  })
})

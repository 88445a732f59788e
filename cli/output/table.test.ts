import { describe, expect, it } from 'vitest'
import { shortTime, tableOf } from './table.ts'

type Row = { readonly name: string; readonly count: number }
const columns = [
  { heading: 'KEY', text: ({ name }: Row) => name, lengthMax: 12 },
  { heading: 'MESSAGES', text: ({ count }: Row) => String(count), align: 'right' },
] as const

describe('tableOf', () => {
  it('lines columns up under their headings, numbers at the right', () => {
    const rows = [
      { name: 'orders', count: 7 },
      { name: 'newsletter', count: 12_000 },
    ]
    expect(tableOf(columns, rows).split('\n')).toEqual([
      'KEY         MESSAGES',
      'orders             7',
      'newsletter     12000',
    ])
  })

  it('lets no key name drive the terminal, hide or fill the screen', () => {
    const text = tableOf(columns, [
      { name: '\u001b[2J\u202e', count: 1 },
      { name: 'x'.repeat(5000), count: 1 },
    ])
    expect(['\u001b', '\u202e'].filter((character) => text.includes(character))).toEqual([])
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(30)
  })
})

describe('shortTime', () => {
  it('is a time to the minute in UTC, or a dash', () => {
    expect(shortTime('2026-03-01T09:30:59+01:00')).toBe('2026-03-01 08:30')
    expect(shortTime(null)).toBe('–')
  })
})

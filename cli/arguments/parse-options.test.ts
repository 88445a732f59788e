import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { countOption, durationOption, parseOptions, timeOption } from './parse-options.ts'

const NOW = Date.parse('2026-03-01T12:34:56Z')

describe('timeOption', () => {
  it.each([
    ['now', '2026-03-01T12:34:56.000Z'],
    ['2026-03-02', '2026-03-02T00:00:00.000Z'],
    ['2026-03-01T09:00+01:00', '2026-03-01T08:00:00.000Z'],
    ['2026-03-01T09:00:30Z', '2026-03-01T09:00:30.000Z'],
  ])('reads %s', (text, iso) => {
    expect(timeOption(NOW).parse(text)).toBe(iso)
  })

  it.each(['', 'tomorrow', '2026-03-01T09:00', '2026-13-01', '2026-02-30T99:00Z', '1.3.2026'])(
    'refuses %j, which could mean several times or none',
    (text) => {
      expect(timeOption(NOW).safeParse(text).success).toBe(false)
    },
  )
})

describe('durationOption', () => {
  it('reads days, hours and minutes, and nothing else', () => {
    expect(['7d', '12h', '90m'].map((text) => durationOption.parse(text))).toEqual([
      604_800_000, 43_200_000, 5_400_000,
    ])
    expect(
      ['', '7', '0d', '1.5h', '366d', '-1d', '7 d'].some((text) => durationOption.safeParse(text).success),
    ).toBe(false)
  })
})

describe('countOption', () => {
  it('reads whole numbers with or without separators, and nothing else', () => {
    expect(['400000', '400_000', '400,000'].map((text) => countOption.parse(text))).toEqual([
      400_000, 400_000, 400_000,
    ])
    expect(['0', '1.5', '4e5', '', '-1', '40,00'].some((text) => countOption.safeParse(text).success)).toBe(
      false,
    )
  })
})

describe('parseOptions', () => {
  it('names every fault by its option and the command whose help says more', () => {
    const schema = z.object({ from: timeOption(NOW), messagesMax: countOption })
    expect(() => parseOptions(schema, { from: 'soon', messagesMax: 'many' }, 'keys plan')).toThrow(
      /--from must be a time[^]*--messages-max must be a whole number[^]*keywatch keys plan --help/,
    )
  })
})

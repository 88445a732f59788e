import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sqlTokens } from './sql-tokens.ts'

const texts = (sql: string) => [...sqlTokens(sql)].map(({ text }) => text)

describe('sqlTokens', () => {
  it.each([
    { name: 'words, names and symbols', sql: 'SELECT a.b, 1', tokens: ['SELECT', 'a', '.', 'b', ',', '1'] },
    { name: 'a doubled quote', sql: "'it''s' x", tokens: ["'it''s'", 'x'] },
    { name: 'a quote behind a backslash', sql: String.raw`'it\'s' x`, tokens: [String.raw`'it\'s'`, 'x'] },
    { name: 'a backslash at the end of a string', sql: String.raw`'\\' x`, tokens: [String.raw`'\\'`, 'x'] },
    { name: 'quoted names', sql: '`a;b` "c;d"', tokens: ['`a;b`', '"c;d"'] },
    { name: 'line comments', sql: '1 -- a;\n2 # b\n3 #! c\n4 // d', tokens: ['1', '2', '3', '4'] },
    { name: 'nested block comments', sql: '1 /* a /* ; */ b */ 2', tokens: ['1', '2'] },
    { name: 'a here-document', sql: "$x$it's;$x$ 2", tokens: ["$x$it's;$x$", '2'] },
    { name: 'typographic quotes', sql: '‘a;b’ 2', tokens: ['‘a;b’', '2'] },
    {
      name: 'typographic quotes as bytes',
      sql: Buffer.from('‘a;b’ 2').toString('latin1'),
      tokens: [Buffer.from('‘a;b’').toString('latin1'), '2'],
    },
    { name: 'a string that never ends', sql: "1 'a; b", tokens: ['1', "'a; b"] },
    { name: 'a comment that never ends', sql: '1 /* a; b', tokens: ['1'] },
  ])('reads $name', ({ sql, tokens }) => {
    expect(texts(sql)).toEqual(tokens)
  })

  it('counts open brackets', () => {
    const depths = [...sqlTokens('a (b [c] d) e')].map(({ text, depth }) => `${text}${depth}`)
    expect(depths).toEqual(['a0', '(1', 'b1', '[2', 'c2', ']1', 'd1', ')0', 'e0'])
  })

  it('takes any text, in order and without overlap', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (sql) => {
        let end = 0
        for (const token of sqlTokens(sql)) {
          expect(token.start).toBeGreaterThanOrEqual(end)
          expect(token.end).toBeGreaterThan(token.start)
          expect(token.text).toBe(sql.slice(token.start, token.end))
          end = token.end
        }
        expect(end).toBeLessThanOrEqual(sql.length)
      }),
      { seed: 1 },
    )
  })
})

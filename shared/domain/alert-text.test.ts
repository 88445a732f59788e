import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeAlert, visibleText } from './alert-text.ts'
import { exampleAlert } from './example-alert.ts'

const links = { console: 'https://example.com/console', trap: 'javascript:alert(1)' }

describe('describeAlert', () => {
  it('says what, how much against what is usual, since when, and what to do', () => {
    expect(describeAlert(exampleAlert({ links }), 'opened')).toEqual({
      title: 'CRITICAL opened: volume.spike on key billing (source main)',
      sentence: 'The key billing sent 4,120 messages in 10 minutes.',
      facts: [
        { label: 'Observed', text: '4,120 in 10 min' },
        { label: 'Expected', text: '12.3 (usual range 5 to 20)' },
        { label: 'Sent before the alarm', text: '37 messages' },
        { label: 'Since', text: '2026-03-01 02:03:04 UTC' },
        { label: 'Detected', text: '2026-03-01 02:03:09 UTC' },
        { label: 'Alert', text: 'a1b2c3' },
      ],
      evidence: ['new shape: f00', 'top domains: yahoo.co.jp, gmail.com', 'share: 0.61'],
      nextSteps: ['Ask the owner.', 'Take mail.send off the key.'],
      references: [
        { label: 'Runbook', text: 'https://example.com/runbook' },
        { label: 'console', text: 'https://example.com/console' },
      ],
    })
  })

  it.each([
    { name: 'a whole source', fields: { key: '*' }, title: 'on source main' },
    { name: 'the fleet', fields: { key: '*', source: '*' }, title: 'on the whole fleet' },
  ])('names $name in words', ({ fields, title }) => {
    expect(describeAlert(exampleAlert(fields), 'changed').title).toBe(
      `CRITICAL changed: volume.spike ${title}`,
    )
  })

  it('says when a resolved alert ended', () => {
    const text = describeAlert(
      exampleAlert({ status: 'resolved', ended_at: '2026-03-01T03:00:00Z' }),
      'resolved',
    )
    expect(text.facts).toContainEqual({ label: 'Ended', text: '2026-03-01 03:00:00 UTC' })
    expect(text.nextSteps).toEqual([])
  })
})

describe('visibleText', () => {
  it.each([
    { name: 'terminal escapes', text: '\u001B[31mred\u0007', shown: '\\u{1b}[31mred\\u{7}' },
    { name: 'C1 controls', text: '\u009B31m', shown: '\\u{9b}31m' },
    { name: 'bidirectional overrides', text: 'a\u202Eb\u2066c', shown: 'a\\u{202e}b\\u{2066}c' },
    { name: 'zero-width characters', text: 'pay\u200Bpal', shown: 'pay\\u{200b}pal' },
    { name: 'tag characters', text: 'x\u{E0041}', shown: 'x\\u{e0041}' },
    { name: 'unpaired surrogates', text: 'x\uD800y', shown: 'x\\u{d800}y' },
    { name: 'line ends', text: 'one\r\ntwo\u2028three', shown: 'one  two\\u{2028}three' },
  ])('makes $name visible', ({ text, shown }) => {
    expect(visibleText(text, 100)).toBe(shown)
  })

  it('leaves readable text of any script as it is', () => {
    expect(visibleText('Grüße, 東京 مرحبا 🔑', 100)).toBe('Grüße, 東京 مرحبا 🔑')
  })

  it('never lets an invisible character through and never exceeds its length', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (text, max) => {
          const shown = visibleText(text, max)
          expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
          expect(shown.length).toBeLessThanOrEqual(max)
        },
      ),
    )
  })

  it('cuts a long text with a sign and not inside an escape', () => {
    expect(visibleText('abcdef', 4)).toBe('abc…')
    expect(visibleText('abcd', 4)).toBe('abcd')
    expect(visibleText('ab\u001Bcd', 6)).toBe('ab…')
  })
})

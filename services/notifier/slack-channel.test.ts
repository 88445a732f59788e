import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { slackMessage } from './slack-channel.ts'

const hostile = '<!channel> <@U123> <http://evil.example|ok> *bold* `code` :smile: a&b \u202Egnp.exe'

/** Every text that Slack would show, with the kind of text object it is in. */
function textsOf(message: ReturnType<typeof slackMessage>) {
  return message.blocks.flatMap((block) => [
    ...('text' in block ? [block.text] : []),
    ...('fields' in block ? block.fields : []),
  ])
}

/** The lengths of a block's texts, and what Slack allows for them. */
function measure(block: ReturnType<typeof slackMessage>['blocks'][number]) {
  if ('fields' in block) return { lengths: block.fields.map(({ text }) => text.length), limit: 2000 }
  return { lengths: [block.text.text.length], limit: block.type === 'header' ? 150 : 3000 }
}

describe('slackMessage', () => {
  it('mentions nobody, links nothing and formats nothing, whatever an event says', () => {
    const message = slackMessage({
      alert: exampleAlert({
        summary: hostile,
        key: '<!here>',
        evidence: { '<!everyone>': hostile },
        next_steps: [hostile],
      }),
      change: 'opened',
    })
    for (const text of textsOf(message)) {
      expect(text.type).toBe('plain_text')
      expect(text.emoji).toBe(false)
      expect(text.text).not.toMatch(/[<>]/)
      expect(text.text).not.toMatch(/&(?!amp;|lt;|gt;)/)
      expect(text.text).not.toContain('\u202E')
    }
    expect(message).toMatchObject({ mrkdwn: false, parse: 'none', link_names: false, unfurl_links: false })
    expect(message.text).not.toMatch(/[<>]/)
  })

  it('stays within what Slack accepts, for every length of text', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '&', '<', '\u0000', '🔑', ' '), maxLength: 1000 })
    fc.assert(
      fc.property(
        text,
        fc.array(text, { maxLength: 10 }),
        fc.dictionary(text, text, { maxKeys: 15 }),
        (a, b, c) => {
          const alert = exampleAlert({
            summary: a === '' ? '.' : a,
            key: a === '' ? '.' : a,
            next_steps: b.map((step) => step.slice(0, 300)),
            evidence: c,
          })
          const message = slackMessage({ alert, change: 'changed' })
          expect(message.blocks.length).toBeLessThanOrEqual(50)
          for (const { lengths, limit } of message.blocks.map(measure)) {
            expect(lengths.length).toBeLessThanOrEqual(10)
            expect(Math.min(...lengths)).toBeGreaterThan(0)
            expect(Math.max(...lengths)).toBeLessThanOrEqual(limit)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it('says what happened, the evidence and what to do next', () => {
    const message = slackMessage({ alert: exampleAlert(), change: 'opened' })
    const shown = textsOf(message).map(({ text }) => text)
    expect(shown[0]).toBe('CRITICAL opened: volume.spike on key billing (source main)')
    expect(shown).toContain('Observed\n4,120 in 10 min')
    expect(shown).toContain('What to do next\n1. Ask the owner.\n2. Take mail.send off the key.')
  })
})

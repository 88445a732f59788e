import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { escapeHtml } from './escape-html.ts'
import { htmlPage } from './html-page.ts'
import { summarise } from './summarise.ts'

const MARKUP = '"><script>alert(1)</script><img src=x onerror=y>\'&'
const START_MS = Date.parse('2026-01-01T00:00:00Z')
const TO_MS = START_MS + 30 * 86_400_000
const START_CELL = START_MS / 600_000

function page(text: string) {
  const opened = new Date(START_MS + 20 * 86_400_000).toISOString()
  const alert = exampleAlert({
    key: text,
    source: text,
    summary: text,
    started_at: opened,
    detected_at: opened,
    changed_at: opened,
    evidence: { [text]: [text, 7] },
  })
  const keys = [
    {
      source: text,
      key: text,
      firstMs: START_MS,
      lastMs: TO_MS,
      messages: 4320,
      tenMinutes: new Map(Array.from({ length: 4320 }, (_, index) => [START_CELL + index, index % 7])),
    },
  ]
  const summary = summarise({
    changes: [alert],
    keys,
    events: 1,
    duplicates: 0,
    badLines: 0,
    fromMs: START_MS,
    toMs: TO_MS,
  })
  return htmlPage({ summaries: [{ name: text, summary }], changes: [alert], keys, toMs: TO_MS })
}

describe('htmlPage', () => {
  it('draws the incident with its messages and what was usual, and nothing of it comes from elsewhere', () => {
    const html = page('orders')
    expect(html).toContain('class="during"')
    expect(html).toContain('class="usual"')
    expect(html).not.toMatch(/NaN|Infinity|undefined/)
    expect(html).not.toMatch(/<script|<link|\bsrc=|\bhref=|url\(|@import/i)
    expect(html).toContain("default-src 'none'")
  })

  it('escapes whatever a sender may have chosen, in every place', () => {
    const html = page(MARKUP)
    expect(html).not.toContain('<script')
    expect(html).not.toContain('<img')
    expect(html).toContain('&lt;script&gt;')
  })

  it('has no more elements for any name than for a plain one', () => {
    const tags = (html: string) => html.match(/<[a-z]+/gi)?.length
    const plain = tags(page('orders'))
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (text) => {
        expect(tags(page(text))).toBe(plain)
      }),
      { numRuns: 30 },
    )
  })
})

describe('escapeHtml', () => {
  it('shows control characters and marks of direction instead of obeying them', () => {
    expect(escapeHtml('a\u202eb\0')).toBe('a[U+202E]b[U+0000]')
  })
})

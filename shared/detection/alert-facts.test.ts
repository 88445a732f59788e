import { describe, expect, it } from 'vitest'
import { alertFactsFrom, withFacts } from './alert-facts.ts'
import { noticeOf } from './episode.ts'

const alert = noticeOf({
  source: 'main',
  key: 'orders',
  signal: 'volume.spike',
  severity: 'warning',
  startMinute: 29_000_000,
  nowMs: 29_000_001 * 60_000,
  observed: 400,
  evidence: { remarks: ['Known.'] },
  summary: 'A burst.',
})

const counts = [
  { field: 'all', value: '', messages: 400, messages_before: 10_000 },
  { field: 'category', value: 'receipt', messages: 40, messages_before: 10_000 },
  { field: 'category', value: '', messages: 360, messages_before: 0 },
  { field: 'recipient_domain', value: 'yahoo.co.jp', messages: 244, messages_before: 20 },
]

describe('withFacts', () => {
  it('says in the summary what is strikingly new, and keeps all shares as evidence', () => {
    const told = withFacts(alert, alertFactsFrom(counts.toSorted((a, b) => b.messages - a.messages)))
    expect(told.summary).toBe(
      'A burst. 90 % has no category (never before). 61 % has recipient domain "yahoo.co.jp" (usually 0.2 %).',
    )
    expect(told.evidence['top_values']).toMatchObject({
      category: [
        { value: '', share: 0.9, share_before: 0 },
        { value: 'receipt', share: 0.1, share_before: 1 },
      ],
    })
    expect(told.evidence['remarks']).toHaveLength(3)
  })

  it('adds no sentence where the mix is the usual one, or where nothing was sent before', () => {
    const same = counts.map((count) => ({ ...count, messages_before: count.messages * 10 }))
    expect(withFacts(alert, alertFactsFrom(same)).summary).toBe('A burst.')
    const young = counts.map((count) => ({ ...count, messages_before: 0 }))
    expect(withFacts(alert, alertFactsFrom(young)).summary).toBe('A burst.')
  })
})

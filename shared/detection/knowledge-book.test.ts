import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { knowledgeSchema, type Knowledge } from '#shared/domain/knowledge.ts'
import { createKnowledgeBook } from './knowledge-book.ts'

const NINE = '2026-12-01T09:00:00Z'
const TEN = '2026-12-01T10:00:00Z'
const seconds = (iso: string) => Date.parse(iso) / 1000

let made = 0
function fact(item: Readonly<Record<string, unknown>>): Knowledge {
  made += 1
  return knowledgeSchema.parse({
    knowledge_id: `k${made}`,
    source: 'main',
    key: 'newsletter',
    author: 'anna',
    note: '',
    created_at: '2026-11-01T00:00:00Z',
    revoked: false,
    ...item,
  })
}
const plan = (item: Readonly<Record<string, unknown>> = {}) =>
  fact({ kind: 'planned_send', from: NINE, until: TEN, messages_max: 1000, ...item })
const mark = (item: Readonly<Record<string, unknown>> = {}) =>
  fact({
    kind: 'alert_mark',
    alert_id: 'a1',
    verdict: 'false',
    alert_started_at: NINE,
    alert_ended_at: TEN,
    ...item,
  })
const content = { template: 'd-1', categories: 'news, winter, sale', campaign: '' }

describe('a planned send', () => {
  it('covers its time from the first second to before the last, on its own key alone', () => {
    const book = createKnowledgeBook([plan()])
    const at = (iso: string, key = 'newsletter', source = 'main') =>
      book.planFor(source, key, seconds(iso), content)
    expect(at(NINE)).toMatchObject({ messagesMax: 1000 })
    expect(at('2026-12-01T09:59:59Z')).toMatchObject({ messagesMax: 1000 })
    expect(at('2026-12-01T08:59:59Z')).toBeUndefined()
    expect(at(TEN)).toBeUndefined()
    expect(at(NINE, 'orders')).toBeUndefined()
    expect(at(NINE, 'newsletter', 'billing')).toBeUndefined()
  })

  it.each([
    [{ template: 'd-1' }, true],
    [{ template: 'd-2' }, false],
    [{ category: 'winter' }, true],
    [{ category: 'winter, sale' }, true],
    [{ category: 'wint' }, false],
    [{ template: 'd-1', category: 'news' }, true],
    [{ template: 'd-1', category: 'lottery' }, false],
    [{ campaign: '77' }, false],
  ])('that names %j takes %s for its content', (named, isPlanned) => {
    const found = createKnowledgeBook([plan(named)]).planFor('main', 'newsletter', seconds(NINE), content)
    expect(typeof found).toBe(isPlanned ? 'object' : 'string')
  })

  it('is no mismatch where another plan at the same time fits', () => {
    const book = createKnowledgeBook([plan({ template: 'd-2' }), plan({ template: 'd-1', messages_max: 7 })])
    expect(book.planFor('main', 'newsletter', seconds(NINE), content)).toMatchObject({ messagesMax: 7 })
  })

  it('is found by its time alone where the content is not known', () => {
    const book = createKnowledgeBook([plan({ template: 'd-2' })])
    expect(book.planFor('main', 'newsletter', seconds(NINE))).toMatchObject({ template: 'd-2' })
  })

  it('that was taken back is no plan', () => {
    const book = createKnowledgeBook([plan({ revoked: true })])
    expect(book.planFor('main', 'newsletter', seconds(NINE), content)).toBeUndefined()
    expect(book.size).toBe(0)
  })
})

describe('a retired key', () => {
  it('is retired from its time on, on every source where it was said so', () => {
    const book = createKnowledgeBook([
      fact({ kind: 'retired_key', since: TEN }),
      fact({ kind: 'retired_key', since: NINE, source: '*', key: 'legacy' }),
    ])
    expect(book.isRetired('main', 'newsletter', seconds(NINE))).toBe(false)
    expect(book.isRetired('main', 'newsletter', seconds(TEN))).toBe(true)
    expect(book.isRetired('billing', 'newsletter', seconds(TEN))).toBe(false)
    expect(book.isRetired('billing', 'legacy', seconds(NINE))).toBe(true)
  })
})

describe('accepted behaviour', () => {
  it('is the latest acceptance up to the time asked about', () => {
    const book = createKnowledgeBook([TEN, NINE].map((from) => fact({ kind: 'accept_new_normal', from })))
    expect(book.acceptedFrom('main', 'newsletter')).toBe(seconds(TEN))
    expect(book.acceptedFrom('main', 'newsletter', seconds(TEN) - 1)).toBe(seconds(NINE))
    expect(book.acceptedFrom('main', 'newsletter', seconds(NINE) - 1)).toBeUndefined()
  })
})

describe('a verdict', () => {
  it('is the last one given, whatever was said before', () => {
    const book = createKnowledgeBook([
      mark({ verdict: 'true', created_at: '2026-12-02T00:00:00Z' }),
      mark({ verdict: 'false', created_at: '2026-12-01T12:00:00Z' }),
      mark({ alert_id: 'a2', verdict: 'expected', alert_ended_at: null }),
    ])
    expect(book.verdictOf('a1')).toBe('true')
    expect(book.verdictOf('never')).toBeUndefined()
    expect(book.marksOf('main', 'newsletter')).toEqual([
      expect.objectContaining({ alertId: 'a2', verdict: 'expected', untilSeconds: undefined }),
      expect.objectContaining({ alertId: 'a1', verdict: 'true', untilSeconds: seconds(TEN) }),
    ])
  })

  it('that was taken back leaves the one before it', () => {
    const book = createKnowledgeBook([
      mark({ verdict: 'expected' }),
      mark({ verdict: 'true', created_at: '2026-12-02T00:00:00Z', revoked: true }),
    ])
    expect(book.verdictOf('a1')).toBe('expected')
  })
})

describe('a book', () => {
  it('answers alike in whatever order the facts come', () => {
    const facts = [
      plan(),
      plan({ template: 'd-1', messages_max: 5 }),
      plan({ source: '*', messages_max: 9 }),
      fact({ kind: 'accept_new_normal', from: NINE }),
      fact({ kind: 'accept_new_normal', from: TEN }),
      fact({ kind: 'retired_key', since: TEN }),
      fact({ kind: 'retired_key', since: NINE, source: '*' }),
      mark(),
      mark({ verdict: 'true' }),
      mark({ alert_id: 'a2' }),
    ]
    const answers = (items: readonly Knowledge[]) => {
      const book = createKnowledgeBook(items)
      return [seconds(NINE) - 1, seconds(NINE), seconds(TEN)].map((at) => [
        book.planFor('main', 'newsletter', at, content),
        book.planFor('main', 'newsletter', at),
        book.isRetired('main', 'newsletter', at),
        book.acceptedFrom('main', 'newsletter', at),
        book.verdictOf('a1'),
        book.marksOf('main', 'newsletter'),
      ])
    }
    const expected = answers(facts)
    fc.assert(
      fc.property(fc.shuffledSubarray(facts, { minLength: facts.length }), (shuffled) => {
        expect(answers(shuffled)).toEqual(expected)
      }),
      { seed: 1, numRuns: 50 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { parseKnowledgeFile } from './knowledge-file.ts'

const retired = { kind: 'retired_key', source: 'main', key: 'legacy', since: '2026-12-01T00:00:00Z' }

describe('parseKnowledgeFile', () => {
  it('takes a list, or the list in a report of "keys list --json", and fills in the bookkeeping', () => {
    const expected = [{ ...retired, knowledge_id: 'file-0', author: 'file', revoked: false }]
    expect(parseKnowledgeFile(JSON.stringify([retired]), 'k.json')).toMatchObject(expected)
    expect(parseKnowledgeFile(JSON.stringify({ keys: [], knowledge: [retired] }), 'k.json')).toMatchObject(
      expected,
    )
  })

  it.each([
    ['[', /k\.json is not JSON/],
    ['{}', /must hold a JSON array/],
    ['[1]', /must hold a JSON array/],
    [JSON.stringify([{ ...retired, since: 'soon' }]), /k\.json has faults[^]*\[0\]\.since/],
    [JSON.stringify([{ ...retired, kind: 'retired' }]), /\[0\]\.kind/],
    [
      JSON.stringify([
        {
          ...retired,
          kind: 'planned_send',
          from: '2026-12-02T00:00:00Z',
          until: '2026-12-01T00:00:00Z',
          messages_max: 1,
        },
      ]),
      /until/,
    ],
  ])('refuses %s and says where the fault is', (text, message) => {
    expect(() => parseKnowledgeFile(text, 'k.json')).toThrow(message)
  })
})

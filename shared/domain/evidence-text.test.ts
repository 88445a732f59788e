import { describe, expect, it } from 'vitest'
import { describeEvidence } from './evidence-text.ts'

describe('describeEvidence', () => {
  it('says the baseline and what changed in words, and leaves out the bookkeeping', () => {
    const lines = describeEvidence({
      still_learning: true,
      baseline: { expected_per_hour: 0.004, busiest_usual_hour: 35.33, active_days: 20, dispersions: [0.1] },
      new_values: { template: '' },
      attribution: { rule: 'custom_arg', confirmed: false },
      what_else: [{ signal: 'rate.bounce', points: 2.5, text: '3 of 40 messages bounced' }],
      incident_score: { total: 7.25, limit: 5, groups: { sender: 4.5, outcome: 2.75 } },
      top_values: {
        recipient_domain: [
          { value: 'gmail.com', share: 0.61, share_before: 0.002 },
          { value: '', share: 0.1, share_before: null },
        ],
        template: [{ value: '', share: 1, share_before: 0 }],
        pool: [],
      },
    })
    expect(lines).toEqual([
      "still learning this key's habits: judged with more patience than later",
      'usual at this hour of the week: less than 0.01 messages an hour; in the busiest usual hour: 35.3; learnt from 20 active days',
      'key named by: custom_arg (claimed, not proven)',
      'also 3 of 40 messages bounced',
      "points: 7.25, this key's limit is 5 (sender 4.5, outcome 2.75)",
      'recipient domain: gmail.com (61 %, before 0.2 %), none (10 %)',
      'template: none (100 %, never before)',
    ])
  })

  it('shows what it does not know as it is', () => {
    expect(describeEvidence({ new_field: ['a', 2], nested: { deep: [1] }, baseline: 'odd' })).toEqual([
      'new field: a, 2',
      'nested: {"deep":[1]}',
      'baseline: odd',
    ])
  })
})

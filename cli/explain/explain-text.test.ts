import { describe, expect, it } from 'vitest'
import { defaultDetectionSettings } from '#shared/detection/detection-settings.ts'
import type { KeyDescription } from '#shared/detection/explain-key.ts'
import { signals } from '#shared/domain/alert.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { explanationText } from './explain-text.ts'
import { differencesOf, type Explanation } from './explanation.ts'
import { judgedHow } from './judged-how.ts'
import type { KeyAtMoment } from './key-at-moment.ts'

const windowOf = (window: string, observed: number) => ({
  window,
  observed,
  expected: 0.37,
  usual_low: 0,
  usual_high: 2,
  dispersion: 0.5,
  largest_before_at_this_time: 4,
  largest_before: 9,
  looked_at_from: 31,
  surprise: 948.123,
  points: 7.95,
  decided_by: 'the size of the excess allows no more',
})

const aKey = (fields: Partial<KeyDescription> = {}): KeyDescription => ({
  source: 'main',
  key: 'orders',
  first_message_at: '2026-01-01T00:00:00.000Z',
  latest_message_at: '2026-03-01T02:03:09.000Z',
  evidence: [
    {
      signal: 'volume.spike',
      group: 'volume',
      points: 7.951,
      since: '2026-03-01T02:02:00.000Z',
      window_seconds: 60,
      observed: 576,
      expected: 0.37,
      expected_low: 0,
      expected_high: 2,
      messages: 576,
      text: '576 messages in 1 minute\u001b[2J',
    },
  ],
  score: { total: 7.951, groups: { sender: 0, audience: 0, volume: 7.951, outcome: 0, key: 0 } },
  limit: 5.2,
  floor: 5,
  own_limit: 5.2,
  page_every_days: 730,
  days_learnt: 28,
  largest_scores: [3.5, 2.25],
  largest_today: 4,
  days_between_such_scores: 9_000_000,
  severity: 'warning',
  decision: 'over the limit: somebody is woken',
  volume: {
    at: '2026-03-01T02:03:00.000Z',
    sending_since: '2026-01-01T00:00:00.000Z',
    longest_silence_hours: 12,
    judged_by_burst_rule_only: false,
    sleeping_hour: true,
    messages_this_hour: 576,
    expected_this_hour: 18.9,
    busiest_usual_hour: 24,
    active_days: 50,
    works_in_bursts: false,
    still_learning: false,
    windows: [windowOf('1 minute', 576), windowOf('24 hours', 1042)],
    sends_before: [],
    expected_by_hour_of_week: Array.from({ length: 168 }, () => 10),
  },
  outcomes: {
    shares: [
      {
        signal: 'rate.bounce',
        outcome: 'bounced',
        usual_share: 0.012,
        usual_a_day: 3,
        now: { minutes: 480, observed: 4, messages: 30, cohort: 40, points: 2.5 },
      },
    ],
    link_domains: [{ host: 'example.com', clicks: 3 }],
    new_link_domains: [],
  },
  content: {
    active_days: 50,
    messages: 12_345,
    audience_points: 0.5,
    stranger_share: 0.2,
    top_values: { template: [{ value: '', share: 1, share_before: 0 }] },
  },
  ...fields,
})

const aMoment = (fields: Partial<KeyAtMoment> = {}): KeyAtMoment => ({
  atMs: Date.parse('2026-03-01T02:03:09.500Z'),
  key: aKey(),
  raised: undefined,
  basis: { savedUntilMs: undefined, fromMs: 0, events: 13_400 },
  knowledge: [],
  liveKeys: 12,
  ...fields,
})

const anExplanation = (fields: Partial<Explanation> = {}): Explanation => ({
  alert: null,
  changes: [],
  told: null,
  others: [],
  moment: aMoment(),
  differences: null,
  gaps: [],
  ...fields,
})

const stored = exampleAlert({
  evidence: { incident_score: { total: 7.951, limit: 5.2, groups: {} }, window_minutes: 1 },
})

describe('explanationText', () => {
  it('lays each part out under its heading, tables with columns under each other', () => {
    const lines = explanationText(anExplanation(), undefined).split('\n')
    const under = (heading: string) => {
      const start = lines.indexOf(heading) + 1
      expect(start).toBeGreaterThan(0)
      return lines.slice(start, lines.indexOf('', start))
    }
    expect(lines[0]).toBe('What the engine thought of main/orders at 2026-03-01 02:03:09')
    expect(under('Decision')).toEqual([
      '  score     7.95',
      "  limit     5.20 (learnt from this key's own days; the floor for every key is 5.00)",
      '  decided   over the limit: somebody is woken',
      '  severity  warning',
    ])
    expect(under('Evidence that holds').slice(0, 2)).toEqual([
      '  SIGNAL        GROUP   POINTS  OBSERVED  EXPECTED   USUAL  MESSAGES  SINCE',
      '  volume.spike  volume    7.95       576      0.37  0 to 2       576  2026-03-01 02:02',
    ])
    expect(under('Score by group').at(-1)).toBe(
      '  total       7.95  the clearest group whole, of the others what is more than faint',
    )
    expect(under('Calibration')).toEqual([
      '  days learnt           28 with traffic and without an incident, of the last 60',
      '  largest daily scores  3.50, 2.25',
      '  largest today         4.00',
      '  a score like this     less than once in 1,000 years of this key',
      '  may wake somebody     once in 730 days by chance; keys live in the fleet: 12',
    ])
    expect(under("Volume: windows that end 2026-03-01 02:03, the key's latest message")).toEqual([
      '  WINDOW    OBSERVED  EXPECTED   USUAL  LARGEST  FROM  SURPRISE  POINTS  DECIDED BY',
      '  1 minute       576      0.37  0 to 2        4    31    948.12    7.95  the size of the excess allows no more',
      '  24 hours     1,042      0.37  0 to 2        4    31    948.12    7.95  the size of the excess allows no more',
    ])
    expect(under('What becomes of its messages')[1]).toBe(
      '  rate.bounce  bounced              1.2 %            3  4 of 40 in 8 h      2.50',
    )
  })

  it('names what sets the limit', () => {
    const limitLine = (fields: Partial<KeyDescription>) =>
      /limit {5}(.*)/.exec(
        explanationText(anExplanation({ moment: aMoment({ key: aKey(fields) }) }), undefined),
      )?.[1]
    expect(limitLine({ limit: 5, own_limit: 3.1 })).toContain(
      'the floor for every key; its own days would ask for 3.10',
    )
    expect(limitLine({ limit: 9, own_limit: 11 })).toContain('the most that is asked of any key')
  })

  it('shows nothing that could drive a terminal', () => {
    const text = explanationText(anExplanation(), undefined)
    expect(text).not.toContain('\u001b')
    expect(text).toContain('volume.spike: 576 messages in 1 minute\\u{1b}[2J')
  })

  it('puts what was stored first, and says whether it was worked out alike', () => {
    const alert = { ...stored, verdict: null }
    const same = explanationText(
      anExplanation({ alert, changes: [stored], told: stored, differences: [] }),
      undefined,
    )
    expect(same.split('\n')[0]).toBe('CRITICAL opened: volume.spike on key billing (source main)')
    expect(same).toContain(
      '  CHANGE  AT                   STATUS  SEVERITY  OBSERVED  EXPECTED  POINTS  SCORE  LIMIT\n' +
        '       1  2026-03-01 02:03:09  open    critical     4,120      12.3    9.00   7.95   5.20\n',
    )
    expect(same).toContain('  the same as what was stored\n')
    expect(same.indexOf('Stored evidence')).toBeLessThan(same.indexOf('What the engine thought'))
    const differences = ['score: stored 7.95, now 6.1']
    const other = explanationText(anExplanation({ alert, told: stored, differences }), undefined)
    expect(other).toMatch(/ {2}NOT the same as what was stored.*\n {4}score: stored 7\.95, now 6\.1\n/)
  })

  it('says so when nothing is left to work it out from', () => {
    const text = explanationText(
      anExplanation({ moment: aMoment({ key: undefined }), gaps: ['gone'] }),
      undefined,
    )
    expect(text).toContain('nothing can be worked out again.\n  note: gone')
    expect(text).not.toContain('Decision')
  })
})

describe('differencesOf', () => {
  it('is empty for the same numbers within rounding, and names each that differs', () => {
    const raised = {
      ...stored,
      evidence: { incident_score: { total: 7.954, limit: 5.2 } },
    }
    expect(differencesOf(stored, { raised, key: aKey() })).toEqual([])
    const less = { ...raised, observed: 4000, evidence: { incident_score: { total: 7, limit: 5.2 } } }
    expect(differencesOf(stored, { raised: less, key: aKey() })).toEqual([
      'score: stored 7.95, now 7',
      'observed: stored 4,120, now 4,000',
    ])
  })

  it('says when the alert is not given again, with the score there is', () => {
    expect(differencesOf(stored, { raised: undefined, key: aKey() })).toEqual([
      'worked out again, the engine does not give this alert as critical; the score was 7.95',
    ])
  })
})

describe('judgedHow', () => {
  it('tells of every signal that no key state explains, and of no other', () => {
    const told = signals.filter((signal) => judgedHow(signal, defaultDetectionSettings) !== undefined)
    expect(told).toEqual([
      'key.new',
      'key.overflow',
      'fleet.shift',
      'source.silent',
      'pipeline.lag',
      'account.status_changed',
      'schema.unknown_field',
      'pipeline.test',
    ])
    expect(judgedHow('source.silent', { ...defaultDetectionSettings, silenceSurprise: 42 })).toContain('42')
  })
})

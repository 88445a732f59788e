import type { Alert } from './alert.ts'

/** A plausible alert, for trying a channel and for tests; `fields` replace its own. */
export function exampleAlert(fields: Partial<Alert> = {}): Alert {
  return {
    v: 1,
    alert_id: 'a1b2c3',
    incident_id: `incident-of-${fields.alert_id ?? 'a1b2c3'}`,
    revision: 1,
    key: 'billing',
    source: 'main',
    signal: 'volume.spike',
    severity: 'critical',
    status: 'open',
    started_at: '2026-03-01T02:03:04.000Z',
    detected_at: '2026-03-01T02:03:09.500Z',
    ended_at: null,
    changed_at: '2026-03-01T02:03:09.500Z',
    observed: 4120,
    expected: 12.25,
    expected_low: 5,
    expected_high: 20,
    score: 9,
    p_value: 1e-9,
    window_seconds: 600,
    messages_before_alarm: 37,
    evidence: { new_shape: 'f00', top_domains: ['yahoo.co.jp', 'gmail.com'], share: 0.61 },
    summary: 'The key billing sent 4,120 messages in 10 minutes.',
    next_steps: ['Ask the owner.', 'Take mail.send off the key.'],
    runbook_url: 'https://example.com/runbook',
    links: { console: 'https://example.com/console' },
    ...fields,
  }
}

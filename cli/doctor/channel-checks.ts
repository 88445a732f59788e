import { lookup } from 'node:dns/promises'
import type { Config } from '#shared/config/config.ts'
import { EVERY, type Alert } from '#shared/domain/alert.ts'
import { createChannel } from '../../services/notifier/channels.ts'
import type { Check } from './check.ts'

/** As long as the notifier waits for one try, and a little. */
const SEND_TIMEOUT_MS = 8000

/** Each channel's address has a form that works and a name that resolves; nothing is sent. */
export function channelsCheck(config: Config): Check {
  return {
    name: 'channels',
    run: async () => {
      const channels = Object.entries(config.notifier.channels)
      for (const [name, channel] of channels) {
        await createChannel(name, channel, besideFindings()).close()
        if (channel.type === 'terminal') continue
        await lookup(new URL(channel.url).hostname.replace(/^\[|\]$/g, '')).catch((error: unknown) => {
          throw new Error(`channel ${name}: its host name does not resolve`, { cause: error })
        })
      }
      if (channels.every(([, channel]) => channel.type === 'terminal')) {
        return {
          outcome: 'warning',
          found: 'alerts are only printed in the terminal',
          advice: 'Configure a slack or webhook channel under notifier.channels.',
        }
      }
      return { outcome: 'ok', found: channels.map(([name]) => name).join(', ') }
    },
  }
}

/** One check per channel: it takes a test alert that says that it is one. */
export function channelTestChecks(config: Config, nowMs: number): Check[] {
  return Object.entries(config.notifier.channels).map(([name, settings]) => ({
    name: `channel ${name}`,
    run: async () => {
      const channel = createChannel(name, settings, besideFindings())
      try {
        const outcome = await channel.send(
          { alert: testAlert(nowMs), change: 'opened' },
          AbortSignal.timeout(SEND_TIMEOUT_MS),
        )
        if (outcome.kind === 'accepted') return { outcome: 'ok', found: 'took the test alert' }
        return {
          outcome: 'failed',
          found: outcome.reason,
          advice: 'Correct its url or secrets, or the other side.',
        }
      } finally {
        await channel.close()
      }
    },
  }))
}

/** The doctor's findings go to standard output, perhaps as JSON; a terminal channel writes beside them. */
function besideFindings() {
  return { terminal: { output: process.stderr, coloured: false }, nowMs: Date.now }
}

function testAlert(nowMs: number): Alert {
  const now = new Date(nowMs).toISOString()
  return {
    v: 1,
    alert_id: `test-${nowMs}`,
    incident_id: `test-${nowMs}`,
    revision: 1,
    key: EVERY,
    source: EVERY,
    signal: 'pipeline.test',
    severity: 'info',
    status: 'open',
    started_at: now,
    detected_at: now,
    ended_at: null,
    changed_at: now,
    observed: 0,
    expected: 0,
    expected_low: 0,
    expected_high: 0,
    score: 0,
    p_value: 1,
    window_seconds: 0,
    messages_before_alarm: 0,
    evidence: {},
    summary:
      'This is a test that a person asked for with "keywatch doctor --send-test". Nothing has happened.',
    next_steps: [],
    runbook_url: 'docs/runbooks.md#pipeline-test',
    links: {},
  }
}

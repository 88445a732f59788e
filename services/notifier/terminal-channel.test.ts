import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { createTerminalChannel, terminalBlock } from './terminal-channel.ts'

const hostile = '\u001B]0;owned\u0007\u001B[2J\u009B31m\u202Etxt\r\n=== INFO resolved ===\u0000\u007F'

describe('terminalBlock', () => {
  it('lays out severity, sentence, numbers, evidence, steps and the id', () => {
    expect(terminalBlock({ alert: exampleAlert(), change: 'opened' }, false)).toBe(`
=== CRITICAL opened: volume.spike on key billing (source main) ===
  The key billing sent 4,120 messages in 10 minutes.
  Observed               4,120 in 10 min
  Expected               12.3 (usual range 5 to 20)
  Sent before the alarm  37 messages
  Since                  2026-03-01 02:03:04 UTC
  Detected               2026-03-01 02:03:09 UTC
  Alert                  a1b2c3
  Evidence
    - new shape: f00
    - top domains: yahoo.co.jp, gmail.com
    - share: 0.61
  What to do next
    1. Ask the owner.
    2. Take mail.send off the key.
  Runbook: https://example.com/runbook
  console: https://example.com/console

`)
  })

  it('lets no text from an event drive the terminal, hide itself or make a line of its own', () => {
    const alert = exampleAlert({
      alert_id: hostile,
      key: hostile,
      source: hostile,
      summary: hostile,
      evidence: { [hostile]: hostile, nested: { [hostile]: [hostile] } },
      next_steps: [hostile],
      links: { [hostile]: 'https://example.com/' },
    })
    const harmless = exampleAlert({
      evidence: { a: 'b', nested: {} },
      next_steps: ['x'],
      links: { a: 'https://b' },
    })
    const block = terminalBlock({ alert, change: 'opened' }, false)
    expect(block.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    expect(block.split('\n')).toHaveLength(
      terminalBlock({ alert: harmless, change: 'opened' }, false).split('\n').length,
    )
  })

  it('uses colours only when asked to', () => {
    const notification = { alert: exampleAlert(), change: 'opened' } as const
    expect(terminalBlock(notification, false)).not.toContain('\u001B')
    expect(terminalBlock(notification, true)).toContain('\u001B[1;31m=== CRITICAL')
  })
})

describe('createTerminalChannel', () => {
  it('keeps an alert that the output did not take', async () => {
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
    const channel = createTerminalChannel(broken, false)
    const outcome = await channel.send({ alert: exampleAlert(), change: 'opened' }, AbortSignal.abort())
    expect(outcome).toEqual({ kind: 'unavailable', reason: 'EPIPE' })
  })
})

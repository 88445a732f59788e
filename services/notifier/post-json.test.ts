import { describe, expect, it } from 'vitest'
import { parseRetryAfter, preparePosts } from './post-json.ts'

const nowMs = Date.parse('2026-03-01T00:00:00Z')
const prepare = (url: string, allowPrivateAddress: boolean) =>
  preparePosts({ name: 'pager', url, allowPrivateAddress, nowMs: () => nowMs })

describe('preparePosts', () => {
  it.each([
    'http://example.com/hook',
    'ftp://example.com/hook',
    'file:///etc/passwd',
    'not a url',
    'https://user:secret@example.com/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://169.254.169.254/latest/meta-data/',
    'https://10.0.0.7/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fd00::1]/',
  ])('refuses %s and does not repeat it in the message', (url) => {
    expect(() => prepare(url, false)).toThrow(/^notifier\.channels\.pager\.url /)
    expect(() => prepare(url, false)).not.toThrow(url)
  })

  it.each(['http://127.0.0.1:8080/', 'https://10.0.0.7/', 'http://[::1]:8080/', 'http://receiver/'])(
    'takes %s where private addresses are allowed',
    async (url) => {
      await expect(prepare(url, true).close()).resolves.not.toThrow()
    },
  )

  it('takes a public https URL', async () => {
    await expect(prepare('https://hooks.example.com/x', false).close()).resolves.not.toThrow()
  })
})

describe('parseRetryAfter', () => {
  it.each([
    { text: '7', ms: 7000 },
    { text: '0', ms: 0 },
    { text: 'Sun, 01 Mar 2026 00:01:30 GMT', ms: 90_000 },
    { text: 'Sat, 28 Feb 2026 00:00:00 GMT', ms: 0 },
    { text: 'soon', ms: undefined },
  ])('reads $text', ({ text, ms }) => {
    expect(parseRetryAfter(text, nowMs)).toBe(ms)
  })
})

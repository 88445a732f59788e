import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { topics } from '#shared/event-log/topics.ts'
import { startAlertReceiver, type AlertReceiver } from '../support/alert-receiver.ts'
import { eventually } from '../support/eventually.ts'
import {
  alertStory,
  startNotifierHarness,
  WEBHOOK_SECRET,
  type NotifierHarness,
} from '../support/notifier-harness.ts'

const TIMEOUT_MS = 20_000
const idsOf = (requests: AlertReceiver['requests']) => requests.map(({ id }) => id)
const webhook = (url: string) => ({
  type: 'webhook',
  url,
  secrets: [WEBHOOK_SECRET],
  allow_private_address: true,
})

describe('the notifier on a durable log', () => {
  let harness: NotifierHarness
  let receiver: AlertReceiver
  beforeEach(async () => {
    harness = await startNotifierHarness()
    receiver = await startAlertReceiver([WEBHOOK_SECRET])
  })
  afterEach(async () => {
    await receiver.close()
    await harness.close()
  })
  const untilAccepted = (count: number) =>
    eventually(() => receiver.accepted.length >= count, {
      timeoutMs: TIMEOUT_MS,
      what: `${count} messages accepted`,
    })

  it('delivers everything once and in order after a channel was down, each try signed anew', async () => {
    receiver.behave({ kind: 'answer', status: 503 })
    const notifier = await harness.start({ pager: webhook(receiver.url) })
    const story = alertStory(['a', 'b', 'c', 'd', 'e'])
    await harness.appendAlerts(...story)
    await eventually(() => receiver.requests.length >= 3, { timeoutMs: TIMEOUT_MS, what: 'three tries' })
    expect(new Set(idsOf(receiver.requests))).toEqual(new Set(['a.1']))
    expect((await notifier.admin('/readyz')).status).toBe(200)
    expect((await notifier.admin('/metrics')).text).toContain(
      'keywatch_notifier_channel_available{channel="pager"} 0',
    )

    receiver.behave({ kind: 'answer', status: 204 })
    await untilAccepted(story.length)
    expect(idsOf(receiver.accepted)).toEqual(story.map(({ alert_id, revision }) => `${alert_id}.${revision}`))
    expect(receiver.requests.every(({ verified }) => verified)).toBe(true)
    expect(
      receiver.requests.every(({ timestampSeconds }) => Math.abs(Date.now() / 1000 - timestampSeconds) < 60),
    ).toBe(true)
    const types = receiver.accepted.map(({ body }): unknown => JSON.parse(body))
    expect(types[0]).toMatchObject({ type: 'alert.opened', timestamp: story[0]?.changed_at, data: story[0] })
    expect(types[5]).toMatchObject({ type: 'alert.changed' })
    expect(types[10]).toMatchObject({ type: 'alert.resolved' })
    expect(notifier.failures).toEqual([])
  })

  it('lets one channel that is down hold up no other', async () => {
    receiver.behave({ kind: 'answer', status: 500 })
    const notifier = await harness.start({ pager: webhook(receiver.url), screen: { type: 'terminal' } })
    await harness.appendAlerts(...alertStory(['a']))
    await eventually(() => notifier.terminal().includes('CRITICAL resolved'), {
      timeoutMs: TIMEOUT_MS,
      what: 'the terminal has the whole story',
    })
    expect(receiver.accepted).toEqual([])
  })

  it('sends nothing twice after a restart, and a state appended twice once', async () => {
    const story = alertStory(['a', 'b'])
    const first = await harness.start({ pager: webhook(receiver.url) })
    await harness.appendAlerts(...story.slice(0, 4))
    await untilAccepted(4)
    await first.stop()
    await harness.start({ pager: webhook(receiver.url) })
    await harness.appendAlerts(...story, ...story)
    await untilAccepted(6)
    await harness.appendAlerts(exampleAlert({ alert_id: 'last' }))
    await untilAccepted(7)
    expect(idsOf(receiver.requests)).toEqual(['a.1', 'b.1', 'a.2', 'b.2', 'a.3', 'b.3', 'last.1'])
  })

  it('finishes the message under way before it stops, and does not repeat it', async () => {
    receiver.behave({ kind: 'hold' })
    const first = await harness.start({ pager: webhook(receiver.url) })
    await harness.appendAlerts(...alertStory(['a']))
    await eventually(() => receiver.requests.length === 1, {
      timeoutMs: TIMEOUT_MS,
      what: 'a message under way',
    })
    const stopped = first.stop()
    receiver.behave({ kind: 'answer', status: 200 })
    await stopped
    expect(first.failures).toEqual([])
    await harness.start({ pager: webhook(receiver.url) })
    await untilAccepted(3)
    expect(idsOf(receiver.requests)).toEqual(['a.1', 'a.2', 'a.3'])
  })

  it('goes on after a message that the channel refuses for good', async () => {
    const notifier = await harness.start({ pager: webhook(receiver.url) })
    receiver.behave({ kind: 'answer', status: 410, body: 'gone' })
    await harness.appendAlerts(exampleAlert({ alert_id: 'refused' }))
    await eventually(() => receiver.requests.length === 1, { timeoutMs: TIMEOUT_MS, what: 'the refusal' })
    receiver.behave({ kind: 'answer', status: 200 })
    await harness.appendAlerts(exampleAlert({ alert_id: 'next' }))
    await untilAccepted(1)
    expect(idsOf(receiver.requests)).toEqual(['refused.1', 'next.1'])
    expect((await notifier.admin('/metrics')).text).toContain(
      'keywatch_notifier_refused_total{channel="pager"} 1',
    )
  })

  it('waits as long as a busy channel asks', async () => {
    receiver.behave({ kind: 'answer', status: 429, headers: { 'retry-after': '2' } })
    await harness.start({ pager: webhook(receiver.url) })
    const askedAt = performance.now()
    await harness.appendAlerts(exampleAlert())
    await eventually(() => receiver.requests.length === 1, { timeoutMs: TIMEOUT_MS, what: 'the first try' })
    receiver.behave({ kind: 'answer', status: 200 })
    await untilAccepted(1)
    expect(performance.now() - askedAt).toBeGreaterThan(1900)
  })

  it('tries again when a channel does not answer within five seconds', async () => {
    receiver.behave({ kind: 'hold' })
    await harness.start({ pager: webhook(receiver.url) })
    await harness.appendAlerts(exampleAlert())
    await eventually(() => receiver.requests.length === 2, { timeoutMs: TIMEOUT_MS, what: 'a second try' })
    receiver.behave({ kind: 'answer', status: 200 })
    await untilAccepted(1)
    expect(new Set(idsOf(receiver.requests))).toEqual(new Set(['a1b2c3.1']))
  })

  it('takes an endless or broken answer to an accepted message as accepted', async () => {
    receiver.behave({ kind: 'answer', status: 200, body: 'x'.repeat(3_000_000) })
    await harness.start({ pager: webhook(receiver.url) })
    await harness.appendAlerts(...alertStory(['a']))
    await untilAccepted(3)
    expect(idsOf(receiver.requests)).toEqual(['a.1', 'a.2', 'a.3'])
  })

  it('follows no redirect', async () => {
    receiver.behave({ kind: 'answer', status: 307, headers: { location: '/elsewhere' } })
    const notifier = await harness.start({ pager: webhook(receiver.url) })
    await harness.appendAlerts(exampleAlert())
    await eventually(
      async () => (await notifier.admin('/metrics')).text.includes('refused_total{channel="pager"} 1'),
      {
        timeoutMs: TIMEOUT_MS,
        what: 'the redirect counts as a refusal',
      },
    )
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/alerts'])
  })

  it('steps over a record that is no alert, and counts it', async () => {
    const notifier = await harness.start({ pager: webhook(receiver.url) })
    await harness.eventLog.append(topics.alerts, [
      { key: 'x', value: 'no JSON' },
      { key: 'x', value: JSON.stringify({ ...exampleAlert(), severity: 'enormous' }) },
      { key: 'x', value: Buffer.from([0xff, 0x00]) },
    ])
    await harness.appendAlerts(exampleAlert())
    await untilAccepted(1)
    expect((await notifier.admin('/metrics')).text).toContain(
      'keywatch_notifier_skipped_total{channel="pager",reason="unreadable"} 3',
    )
  })

  it('keeps a hostile text whole for programs, harmless for people', async () => {
    const summary = '\u001B[31m<!channel>\u202E "quoted" \\ \u2028 \uD800'
    const slack = await startAlertReceiver()
    const notifier = await harness.start({
      pager: webhook(receiver.url),
      people: { type: 'slack', url: slack.url, allow_private_address: true },
      screen: { type: 'terminal' },
    })
    await harness.appendAlerts(exampleAlert({ summary }))
    await untilAccepted(1)
    await eventually(() => slack.accepted.length === 1 && notifier.terminal() !== '', {
      timeoutMs: TIMEOUT_MS,
      what: 'all channels told',
    })
    await slack.close()
    expect(receiver.accepted[0]?.verified).toBe(true)
    expect(JSON.parse(receiver.accepted[0]?.body ?? '')).toMatchObject({ data: { summary } })
    expect(notifier.terminal().replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u)
    expect(slack.accepted[0]?.body).not.toMatch(/<!channel>|\u202E/)
  })

  it('tells a channel only what is severe enough for it', async () => {
    await harness.start({ pager: { ...webhook(receiver.url), minimum_severity: 'critical' } })
    await harness.appendAlerts(
      exampleAlert({ alert_id: 'quiet', severity: 'warning' }),
      exampleAlert({ alert_id: 'quiet', severity: 'warning', revision: 2, status: 'resolved' }),
      exampleAlert({ alert_id: 'loud', severity: 'warning' }),
      exampleAlert({ alert_id: 'loud', severity: 'critical', revision: 2 }),
      exampleAlert({ alert_id: 'loud', severity: 'critical', revision: 3, status: 'resolved' }),
    )
    await untilAccepted(2)
    expect(idsOf(receiver.requests)).toEqual(['loud.2', 'loud.3'])
  })

  it('does not flood a channel that is new to a running deployment, nor lose what comes while it is away', async () => {
    await harness.appendAlerts(exampleAlert({ alert_id: 'old' }))
    const twoHoursLater = await harness.start({ pager: webhook(receiver.url) }, { aheadMs: 2 * 3600_000 })
    await eventually(
      async () => (await twoHoursLater.admin('/metrics')).text.includes('before_first_start'),
      {
        timeoutMs: TIMEOUT_MS,
        what: 'the old alert is stepped over',
      },
    )
    await twoHoursLater.stop()
    await harness.appendAlerts(exampleAlert({ alert_id: 'meanwhile' }))
    await harness.start({ pager: webhook(receiver.url) }, { aheadMs: 4 * 3600_000 })
    await untilAccepted(1)
    expect(idsOf(receiver.requests)).toEqual(['meanwhile.1'])
  })
})

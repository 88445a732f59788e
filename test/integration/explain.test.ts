import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { configSchema } from '#shared/config/config.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { exampleAlert } from '#shared/domain/example-alert.ts'
import { insertAlertChanges } from '#shared/warehouse/alert-store.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import { eventsByArrival } from '#shared/warehouse/past-events-store.ts'
import { createRecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import { createReplay } from '../../cli/backtest/replay.ts'
import { firstOf, startDetectorHarness, type DetectorHarness } from '../support/detector-harness.ts'
import { eventually } from '../support/eventually.ts'
import { runCommand } from '../support/run-command.ts'
import type { SpawnedService } from '../support/spawn-service.ts'
import { anEventMessage, countOf } from '../support/stored-events.ts'
import { insertVictimHistory, VICTIM } from '../support/test-traffic.ts'

const COMMAND = fileURLToPath(new URL('../../cli/keywatch.js', import.meta.url))
const BURST = 800
const nowSeconds = Math.floor(Date.now() / 1000)

let harness: DetectorHarness
let detector: SpawnedService
let alert: Alert

beforeAll(async () => {
  harness = await startDetectorHarness()
  await insertVictimHistory(harness.client, nowSeconds)
  detector = await harness.startDetector()
  await harness.append(burst())
  alert = await eventually(
    async () =>
      firstOf(
        (await harness.alerts()).filter(
          ({ signal, severity }) => signal === 'volume.spike' && severity !== 'info',
        ),
      ),
    { timeoutMs: 30_000, what: 'the burst wakes somebody' },
  )
  await eventually(
    async () =>
      (await countOf(
        harness.client,
        `SELECT count() AS count FROM alert_changes WHERE alert_id = '${alert.alert_id}' AND severity = '${alert.severity}'`,
      )) > 0,
    { timeoutMs: 30_000, what: 'the alert is in the warehouse' },
  )
}, 120_000)
afterAll(async () => {
  await harness?.stop()
})

/** A blast with another category than ever on a key with four weeks of history. */
function burst() {
  return Array.from({ length: BURST }, (_, index) =>
    anEventMessage(
      {
        sg_event_id: `burst-${index}`,
        timestamp: nowSeconds - 60 + Math.floor(index / 20),
        category: 'lottery',
      },
      { key: VICTIM, received_at: nowSeconds * 1000 + index },
    ),
  )
}

async function explain(line: readonly string[], changes: Readonly<Record<string, string>> = {}) {
  const running = runCommand(['node', COMMAND, 'explain', ...line], {
    cwd: harness.warehouse.dataDirectory,
    env: {
      KEYWATCH_DATA_DIRECTORY: harness.warehouse.dataDirectory,
      KEYWATCH_WAREHOUSE__URL: harness.warehouse.url,
      KEYWATCH_WAREHOUSE__PASSWORD: harness.warehouse.connection.password,
      ...changes,
    },
  })
  const status = await running.exited
  return { status, output: running.output() }
}

const reportSchema = z.object({
  differences: z.array(z.string()).nullable(),
  gaps: z.array(z.string()),
  moment: z.object({
    key: z
      .object({
        score: z.object({ total: z.number() }),
        limit: z.number(),
        severity: z.string().nullable(),
        evidence: z.array(z.object({ signal: z.string(), points: z.number() })),
        volume: z.object({ windows: z.array(z.object({ window: z.string(), observed: z.number() })) }),
      })
      .optional(),
  }),
})

const scoreSchema = z.object({ incident_score: z.object({ total: z.number(), limit: z.number() }) })

const QUIET_KEY = 'reports'
const OTHER_KEY = 'receipts'
const WEEK_SECONDS = 7 * 86_400

/** Five weeks of two keys that send every three minutes; one of them stopped half a day before the end. */
async function insertSilence() {
  const end = nowSeconds - 8 * WEEK_SECONDS
  const privacy = createRecipientPrivacy({
    data_directory: '.',
    privacy: { recipients: 'hash', hash_key: 'k' },
  })
  const rows: EventRow[] = []
  for (let timestamp = end - 5 * WEEK_SECONDS; timestamp < end; timestamp += 180) {
    for (const key of [QUIET_KEY, OTHER_KEY]) {
      if (key === QUIET_KEY && timestamp > end - 43_200) continue
      const sg_event_id = `${key}-${timestamp}`
      rows.push(
        toEventRow(
          anEventMessage({ sg_event_id, timestamp }, { key, source: 'steady' }),
          { partition: 0, offset: rows.length },
          privacy,
        ),
      )
    }
  }
  for (let start = 0; start < rows.length; start += 5000) {
    await insertEvents(harness.client, rows.slice(start, start + 5000), `steady:${start}`)
  }
  return { fromMs: (end - 5 * WEEK_SECONDS) * 1000, toMs: end * 1000 + 60_000 }
}

/** What the engine says when it is given all keys of the warehouse, as a backtest does. */
async function alertsOfReplay(span: { readonly fromMs: number; readonly toMs: number }): Promise<Alert[]> {
  const config = configSchema.parse({ data_directory: harness.warehouse.dataDirectory })
  const alerts: Alert[] = []
  const replay = createReplay(config, [], (change) => alerts.push(change))
  for await (const piece of eventsByArrival(harness.client, span))
    for (const { event } of piece) replay.feed(event)
  return alerts
}

describe('keywatch explain', () => {
  it('tells a key that stopped from a source that did, by the other keys of its partition', async () => {
    const alerts = await alertsOfReplay(await insertSilence())
    const drop = firstOf(alerts.filter(({ signal, key }) => signal === 'volume.drop' && key === QUIET_KEY))
    await insertAlertChanges(harness.client, [drop])
    const { output, status } = await explain([drop.alert_id, '--json'])
    expect(status).toBe(0)
    const { moment, differences } = reportSchema.parse(JSON.parse(output))
    expect(differences).toEqual([])
    expect(moment.key?.evidence).toMatchObject([{ signal: 'volume.drop' }])
    expect(moment.key?.evidence[0]?.points).toBeCloseTo(drop.score, 2)
  })

  it('works out the score and the limit that the detector stored, from the events in the warehouse', async () => {
    const stored = scoreSchema.parse(alert.evidence).incident_score
    const { status, output } = await explain([alert.alert_id, '--json'])
    expect(output).toMatch(/^\{/)
    expect(status).toBe(0)
    const { moment, differences } = reportSchema.parse(JSON.parse(output))
    expect(differences).toEqual([])
    expect(moment.key?.score.total).toBeCloseTo(stored.total, 2)
    expect(moment.key?.limit).toBeCloseTo(stored.limit, 2)
    expect(moment.key?.severity).toBe(alert.severity)
    expect(moment.key?.evidence.map(({ signal }) => signal)).toContain('volume.spike')
  })

  it('prints what was stored first, then the decision, the calibration and each window', async () => {
    const { status, output } = await explain([alert.incident_id.slice(0, 12)])
    expect(status).toBe(0)
    const headings = [
      'What was stored',
      'Stored evidence',
      `What the engine thought of main/${VICTIM} at`,
      'Decision',
      'Evidence that holds',
      'Score by group',
      'Calibration',
      'Volume: windows that end',
      'What becomes of its messages',
      'What it sends and to whom',
    ]
    const places = headings.map((heading) => output.indexOf(`\n${heading}`))
    expect(places.every((place) => place > 0)).toBe(true)
    expect(places).toEqual(places.toSorted((left, right) => left - right))
    expect(output).toContain('the same as what was stored')
    expect(output).toContain(`score     ${scoreSchema.parse(alert.evidence).incident_score.total.toFixed(2)}`)
    expect(output).toMatch(
      /^ {2}1 minute .*\n {2}10 minutes .*\n {2}1 hour .*\n {2}6 hours .*\n {2}24 hours /m,
    )
  })

  it('tells what was thought of a key at any time: nothing before the burst', async () => {
    const before = new Date((nowSeconds - 3600) * 1000).toISOString()
    const { status, output } = await explain(['--key', VICTIM, '--at', before, '--json'])
    expect(status).toBe(0)
    const { moment, differences } = reportSchema.parse(JSON.parse(output))
    expect(differences).toBeNull()
    expect(moment.key).toMatchObject({ severity: null, evidence: [] })
    expect(moment.key?.volume.windows.every(({ observed }) => observed < 60 * 24)).toBe(true)
  })

  it('says where it differs when raw events are gone, and keeps to the stored evidence', async () => {
    const shown = await explain([alert.alert_id], { KEYWATCH_WAREHOUSE__RAW_RETENTION_DAYS: '5' })
    expect(shown.output).toMatch(/note: raw events are kept for 5 days, so that only [45] days are left/)
    const invented = {
      ...alert,
      alert_id: 'invented-0001',
      incident_id: 'invented-incident',
      key: 'never-sent',
    }
    await insertAlertChanges(harness.client, [invented])
    const { status, output } = await explain(['invented-0001'])
    expect(status).toBe(0)
    expect(output).toContain('No message of this key is stored that is so old')
    const moved = {
      ...alert,
      alert_id: 'invented-0002',
      incident_id: 'invented-incident-2',
      severity: 'critical' as const,
    }
    await insertAlertChanges(harness.client, [
      { ...moved, changed_at: new Date((nowSeconds - 86_400) * 1000).toISOString() },
    ])
    const differing = await explain(['invented-0002'])
    expect(differing.output).toMatch(
      /NOT the same as what was stored[^\n]*\n +worked out again, the engine does not give/,
    )
  })

  it('says of a whole source what was stored and how such an alert is judged', async () => {
    await insertAlertChanges(harness.client, [
      exampleAlert({
        alert_id: 'silent-0001',
        incident_id: 'silent-incident',
        signal: 'source.silent',
        key: '*',
        summary: 'main is silent.',
        evidence: { silent_minutes: 44 },
      }),
    ])
    const { status, output } = await explain(['silent-0001'])
    expect(status).toBe(0)
    expect(output).toContain('silent minutes: 44')
    expect(output).toMatch(/How this signal is judged\n.*\n?.*detection\.silence_surprise/)
    expect(output).not.toContain('What the engine thought')
  })

  it('goes on from the state that the detector saved, where that is older than the moment', async () => {
    await detector.kill('SIGTERM')
    const { status, output } = await explain(['--key', VICTIM])
    expect(status).toBe(0)
    expect(output).toMatch(/^ {2}from the state that the detector saved at [-0-9: ]+, and 0 events since$/m)
    expect(output).toMatch(/^ {2}1 minute .*\n {2}10 minutes /m)
    // The alert is older than the state, so it is worked out from the events as before.
    expect((await explain([alert.alert_id])).output).toContain('the same as what was stored')
  })

  it.each([
    { line: [], says: /which alert/ },
    { line: ['abcd', '--key', 'orders'], says: /which alert/ },
    { line: ['--key', VICTIM, '--at', 'yesterday'], says: /--at must be a time/ },
    { line: ['--key', 'nobody-knows-it'], says: /no key nobody-knows-it has ever sent/ },
  ])('refuses $line with status 2 and says why', async ({ line, says }) => {
    const { status, output } = await explain(line)
    expect(output).toMatch(says)
    expect(status).toBe(2)
  })
})

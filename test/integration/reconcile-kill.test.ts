import { afterAll, beforeAll, expect, it } from 'vitest'
import { startDetectorHarness, type DetectorHarness } from '../support/detector-harness.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { temporaryLogDirectory } from '../support/open-test-log.ts'
import { spawnScript, type SpawnedScript } from '../support/spawn-script.ts'
import { anEventMessage, countOf, differingRollupCells } from '../support/stored-events.ts'
import { seededRandom } from '../support/test-traffic.ts'

const EVENTS_PER_ROUND = 3000
const KILLS = 6
const DAY = 24 * 3600
const nowSeconds = Math.floor(Date.now() / 1000)
const random = seededRandom(11)

let harness: DetectorHarness
let log: Awaited<ReturnType<typeof temporaryLogDirectory>>
let adminPort: number

beforeAll(async () => {
  log = await temporaryLogDirectory()
  adminPort = await freePort()
  harness = await startDetectorHarness({ KEYWATCH_EVENT_LOG__URL: log.url })
})

afterAll(async () => {
  await harness?.stop()
  await log?.remove()
})

const spawnDetector = () =>
  spawnScript('reconciling-detector.ts', {
    KEYWATCH_DATA_DIRECTORY: harness.warehouse.dataDirectory,
    KEYWATCH_WAREHOUSE__URL: harness.warehouse.url,
    KEYWATCH_EVENT_LOG__URL: log.url,
    KEYWATCH_DETECTOR__ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    KEYWATCH_DETECTOR__BLOCK_RECORDS_MAX: '200',
    KEYWATCH_PRIVACY__HASH_KEY: 'a key for tests',
  })

const appendRound = (round: number) =>
  harness.append(
    Array.from({ length: EVENTS_PER_ROUND }, (_, index) =>
      anEventMessage(
        { sg_event_id: `e${round}-${index}`, timestamp: nowSeconds - Math.floor(random() * 3 * DAY) },
        { key: `key-${Math.floor(random() * 20)}`, received_at: nowSeconds * 1000 },
      ),
    ),
  )

const day = (ago: number) => new Date((nowSeconds - ago * DAY) * 1000).toISOString().slice(0, 10)
const damages = [
  `ALTER TABLE usage_minute DROP PARTITION ${day(1).replaceAll('-', '')}`,
  `ALTER TABLE usage_hour DELETE WHERE key IN ('key-3', 'key-4') SETTINGS mutations_sync = 1`,
  `ALTER TABLE usage_day DROP PARTITION ${day(2).slice(0, 7).replace('-', '')}`,
  `INSERT INTO usage_hour SELECT source, key, hour, event, 2 FROM usage_hour WHERE key = 'key-5'`,
]
const tables = () =>
  countOf(harness.client, 'SELECT count() AS count FROM system.tables WHERE database = currentDatabase()')

const repairsOf = (detector: SpawnedScript) =>
  detector.lines.filter((line) => line.includes('was put right')).length
const isWhole = async (events: number) =>
  (await countOf(harness.client, 'SELECT count() AS count FROM events')) >= events &&
  (await differingRollupCells(harness.client)) === 0

it('leaves no harm when the detector is killed in the middle of comparing and repairing', async () => {
  const before = await tables()
  let repairs = 0
  for (let kill = 0; kill < KILLS; kill += 1) {
    await appendRound(kill)
    const detector = spawnDetector()
    const wanted = 1 + Math.floor(random() * 5)
    await eventually(
      async () => repairsOf(detector) >= wanted || (await isWhole((kill + 1) * EVENTS_PER_ROUND)),
      {
        timeoutMs: 30_000,
        what: `the detector repairs; ${detector.lines.slice(-10).join('\n')}`,
      },
    )
    await detector.kill9()
    repairs += repairsOf(detector)
    await harness.client.command({ query: damages[kill % damages.length] ?? '' })
  }

  const detector = spawnDetector()
  await eventually(() => isWhole(KILLS * EVENTS_PER_ROUND), {
    timeoutMs: 60_000,
    what: `the rollups equal the raw events; ${detector.lines.slice(-10).join('\n')}`,
  })
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  expect(metrics).toMatch(/keywatch_detector_rollup_repaired_total\{rollup="usage_[a-z]+"\} [1-9]/)
  expect(metrics).toMatch(/keywatch_detector_reconciled_at_seconds \d{10}/)
  await detector.kill9()
  expect(repairs).toBeGreaterThan(0)
  expect(await countOf(harness.client, 'SELECT uniqExact(sg_event_id) AS count FROM events')).toBe(
    KILLS * EVENTS_PER_ROUND,
  )
  expect(await countOf(harness.client, 'SELECT count() AS count FROM events')).toBe(KILLS * EVENTS_PER_ROUND)
  expect(await tables()).toBe(before)
}, 180_000)

import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import { z } from 'zod'
import { alertSchema } from '#shared/domain/alert.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { eventually } from '../support/eventually.ts'
import { startTestKafka } from '../support/start-kafka.ts'
import { startSystem, type RunningSystem } from '../support/start-system.ts'
import { insertVictimHistory, makeEvents, postAll, seededRandom, VICTIM } from '../support/test-traffic.ts'

const TOTAL = 20_000
const SPIKE = 2000
const DRAIN_MS = 150_000

/** Each run has a schedule of its own; a failure prints the seed that repeats it. */
const seed = Number(process.env['KEYWATCH_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

async function numbers(warehouse: ClickHouseClient, query: string): Promise<Record<string, number>> {
  const answer = await warehouse.query({ query, format: 'JSONEachRow' })
  const [row] = z.array(z.record(z.string(), z.coerce.number())).parse(await answer.json())
  if (row === undefined) throw new Error('the query gave no row')
  return row
}

async function countStored(warehouse: ClickHouseClient): Promise<Record<string, number>> {
  return numbers(
    warehouse,
    `SELECT count() AS rows, uniqExact(sg_event_id) AS ids FROM events WHERE NOT startsWith(sg_event_id, 'history-')`,
  )
}

/** Cells of a rollup that differ from what the raw events say, in either direction. */
async function wrongCells(
  warehouse: ClickHouseClient,
  rollup: { table: string; bucket: string; of: string },
) {
  const { table, bucket, of } = rollup
  const { wrong } = await numbers(
    warehouse,
    `SELECT count() AS wrong FROM (
       SELECT source, key, ${of} AS bucket, event, count() AS events FROM events GROUP BY ALL
     ) AS raw
     FULL OUTER JOIN (
       SELECT source, key, ${bucket} AS bucket, event, sum(events) AS events FROM ${table} GROUP BY ALL
     ) AS rollup USING (source, key, bucket, event)
     WHERE raw.events != rollup.events`,
  )
  return wrong
}

async function expectStoredOnce(warehouse: ClickHouseClient) {
  await eventually(async () => (await countStored(warehouse))['ids'] === TOTAL, {
    timeoutMs: DRAIN_MS,
    what: `${TOTAL} events are in the warehouse`,
  })
  expect(await countStored(warehouse)).toEqual({ rows: TOTAL, ids: TOTAL })
  for (const rollup of [
    { table: 'usage_minute', bucket: 'minute', of: 'toStartOfMinute(timestamp)' },
    { table: 'usage_hour', bucket: 'hour', of: 'toStartOfHour(timestamp)' },
    { table: 'usage_day', bucket: 'day', of: `toDate(timestamp, 'UTC')` },
  ]) {
    expect({ ...rollup, wrong: await wrongCells(warehouse, rollup) }).toEqual({ ...rollup, wrong: 0 })
  }
  expect(await numbers(warehouse, 'SELECT count() AS rows FROM rejected')).toEqual({ rows: 0 })
}

/** What the receiver took about the spike: the alert's body, checked against the contract. */
function deliveredSpikes(system: RunningSystem) {
  return system.receiver.accepted
    .map(({ body, verified, id }) => {
      const { type, data } = z.object({ type: z.string(), data: alertSchema }).parse(JSON.parse(body))
      return { type, alert: data, verified, id }
    })
    .filter(({ alert }) => alert.signal === 'volume.spike' && alert.key === VICTIM)
}

async function expectOnePage(system: RunningSystem) {
  await eventually(() => deliveredSpikes(system).some(({ type }) => type === 'alert.opened'), {
    timeoutMs: DRAIN_MS,
    what: 'the alert about the spike reaches the receiver',
  })
  const opened = deliveredSpikes(system).filter(({ type }) => type === 'alert.opened')
  expect(opened).toHaveLength(1)
  expect(opened[0]?.verified).toBe(true)
  expect(opened[0]?.alert.summary).toContain(VICTIM)
  expect(system.receiver.requests.every(({ verified }) => verified)).toBe(true)
  // No state of any alert is delivered twice.
  const ids = system.receiver.accepted.map(({ id }) => id)
  expect(ids).toEqual([...new Set(ids)])
}

const kafka = await startTestKafka({ own: true })
if (kafka.kind === 'unavailable' && process.env['CI'] !== 'true') {
  // oxlint-disable-next-line no-console -- nobody should believe that these tests have run
  console.warn(`SKIPPED, no Kafka: the whole system on Kafka. ${kafka.missing}`)
}
afterAll(async () => {
  if (kafka.kind === 'running') await kafka.stop()
})

const logs = [
  { name: 'embedded log', url: undefined, missing: undefined },
  kafka.kind === 'running'
    ? { name: 'Kafka', url: kafka.url, missing: undefined }
    : { name: 'Kafka', url: undefined, missing: kafka.missing },
]

describe.each(logs)('the whole system on the $name', ({ url, missing }) => {
  const skipped = missing !== undefined && process.env['CI'] !== 'true'
  let system: RunningSystem
  const random = seededRandom(seed)

  beforeAll(async () => {
    if (skipped) return
    if (missing !== undefined) throw new Error(missing)
    const nowSeconds = Math.floor(Date.now() / 1000)
    system = await startSystem({
      ...(url === undefined ? {} : { eventLogUrl: url }),
      prepare: (warehouse) => insertVictimHistory(warehouse, nowSeconds),
    })
  })
  afterAll(async () => {
    await system?.stop()
  })

  it.skipIf(skipped)(
    'stores each of 20,000 events once and pages once, through a kill -9 of every service',
    async () => {
      onTestFailed(() => {
        // oxlint-disable-next-line no-console -- what repeats the failure
        console.error(`KEYWATCH_TEST_SEED=${seed}\n${system.output().slice(-20_000)}`)
      })
      const nowSeconds = Math.floor(Date.now() / 1000)
      const events = makeEvents({ total: TOTAL, spike: SPIKE, nowSeconds, random })
      const kills = [
        { at: 4000, name: 'detector' },
        { at: 7000, name: 'ingest' },
        { at: 10_000, name: 'warehouse' },
        { at: 13_000, name: 'notifier' },
        { at: 16_000, name: 'detector-2' },
        { at: 19_000, name: 'detector' },
      ] as const
      const due = [...kills]
      const restarts: Promise<void>[] = []
      await postAll({
        events,
        signer: system.signer,
        port: system.ingestPort,
        random,
        afterRequest: async (posted) => {
          const next = due[0]
          if (next === undefined || posted < next.at) return
          due.shift()
          // Not awaited: traffic goes on while the service is away, as it does in life.
          restarts.push(system.killAndRestart(next.name))
        },
      })
      await Promise.all(restarts)
      expect(due).toEqual([])
      await expectStoredOnce(system.warehouse)
      await expectOnePage(system)
    },
  )
})

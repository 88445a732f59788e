import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { configSchema } from '#shared/config/config.ts'
import { topics } from '#shared/event-log/topics.ts'
import { createWarehouseClient } from '#shared/warehouse/client.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'
import { simulateHistory } from '../../cli/simulator/simulate-history.ts'
import { freePort } from '../../test/support/free-port.ts'
import { openTestLog } from '../../test/support/open-test-log.ts'
import { anEventMessage, countOf } from '../../test/support/stored-events.ts'
import { fillLog, HOUR_MS, RATE, SEED } from './backlog.ts'
import { residentMib, startProcess, usageOf, type MeasuredProcess } from './processes.ts'

const WANTED_PER_CPU_SECOND = 50_000
const HISTORY_DAYS = 8
/** Until then the compiler is still warming up; the figure of a long backlog begins here. */
const WARM_SHARE = 0.2
const POLL_MS = 250
const SINGLE_EVENTS = 20

const { values } = parseArgs({
  options: {
    /** Distinct events in the backlog. */
    events: { type: 'string', default: '300000' },
    /** Writes a CPU profile of the detector into this folder. */
    'cpu-prof': { type: 'string' },
    /** Writes the figures as JSON into this file. */
    json: { type: 'string' },
    /** Node's room for young objects, MiB; the supervisor gives the detector 32. */
    'semi-space': { type: 'string', default: '32' },
    /** The detector's `block_records_max`. */
    'block-records': { type: 'string' },
    /** Measures the detector only. */
    'only-detector': { type: 'boolean', default: false },
  },
})

const directory = await mkdtemp(join(tmpdir(), 'keywatch-bench-'))
const adminPort = await freePort()
const env = {
  KEYWATCH_DATA_DIRECTORY: directory,
  KEYWATCH_WAREHOUSE__URL: `http://127.0.0.1:${await freePort()}`,
  KEYWATCH_EVENT_LOG__URL: `file:${join(directory, 'event-log')}`,
  KEYWATCH_PRIVACY__HASH_KEY: 'only-for-this-benchmark',
  KEYWATCH_DETECTOR__ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
}
const blockRecords = values['block-records']
const detectorEnv = {
  ...env,
  ...(blockRecords === undefined ? {} : { KEYWATCH_DETECTOR__BLOCK_RECORDS_MAX: blockRecords }),
}
const config = configSchema.parse({
  data_directory: directory,
  warehouse: { url: env.KEYWATCH_WAREHOUSE__URL },
  privacy: { hash_key: env.KEYWATCH_PRIVACY__HASH_KEY },
})
const warehouse = startProcess(import.meta.resolve('../../services/warehouse/main.ts'), { env })
await warehouse.lineWith('"listening"')
const connection = warehouseConnection(config)
await migrateWarehouse(connection, { rawRetentionDays: 3650 })
const client = createWarehouseClient(connection, 'keywatch-bench')
const eventLog = await openTestLog({ url: env.KEYWATCH_EVENT_LOG__URL, partitions: 4 })
const processes: MeasuredProcess[] = [warehouse]
try {
  const now = Date.now()
  await makePast(now - 26 * HOUR_MS)
  const before = await storedCounts()
  const backlog = await fillLog(eventLog, { events: Number(values.events), toMs: now })
  console.log(
    `backlog: ${backlog.records} records, ${backlog.records - backlog.distinct} of them redelivered`,
  )
  const detector = startProcess(import.meta.resolve('../../services/detector/main.ts'), {
    env: detectorEnv,
    nodeOptions: nodeOptions(),
  })
  processes.push(detector)
  const caughtUp = await measureBacklog(detector, backlog.records)
  const stored = (await storedCounts()).map((count, index) => count - (before[index] ?? 0))
  if (stored.some((count) => count !== backlog.distinct))
    throw new Error(`stored are ${stored.join(', ')} events instead of ${backlog.distinct}`)
  const latencies = await measureSingles()
  await detector.stop()
  const reference = values['only-detector'] ? undefined : await measurePlainCopy()
  report({ ...caughtUp, latencies, reference })
} finally {
  for (const started of processes.toReversed()) await started.stop()
  await eventLog.close()
  await client.close()
  await rm(directory, { recursive: true, force: true })
}

/** Events in the raw table and in each rollup. */
function storedCounts(): Promise<number[]> {
  const counts = ['usage_minute', 'usage_hour', 'usage_day'].map(
    (table) => `SELECT sum(events) AS count FROM ${table}`,
  )
  return Promise.all(
    ['SELECT count() AS count FROM events', ...counts].map((query) => countOf(client, query)),
  )
}

/** Gives the baselines something to read: the fleet's history as raw events. */
async function makePast(untilMs: number) {
  await simulateHistory({
    config,
    connection,
    seed: SEED,
    rate: 1,
    historyMs: HISTORY_DAYS * 24 * HOUR_MS,
    now: () => untilMs,
  })
  // The backlog's volume is RATE times as much; the rollups, which baselines read, get the rest of it.
  for (const [table, column] of [
    ['usage_minute', 'minute'],
    ['usage_hour', 'hour'],
    ['usage_day', 'day'],
  ] as const) {
    const scaled = `SELECT source, key, ${column}, event, sum(events) * ${RATE - 1} FROM ${table} GROUP BY ALL`
    await client.command({ query: `INSERT INTO ${table} ${scaled}` })
  }
}

type Progress = { readonly atMs: number; readonly records: number; readonly cpuSeconds: number }

/** Waits until the detector has handled every record, looking at its own metrics. */
async function measureBacklog(detector: MeasuredProcess, records: number) {
  await detector.lineWith('"started"')
  const warehouseBefore = usageOf(warehouse.pid)
  const seen: Progress[] = [await progress()]
  const resident: number[] = []
  for (;;) {
    await wait(POLL_MS)
    const latest = await progress()
    seen.push(latest)
    resident.push(residentMib(detector.pid))
    if (latest.records >= records) break
  }
  const last = seen.at(-1)
  const first = seen[0]
  const warm = seen.find((sample) => sample.records >= records * WARM_SHARE)
  if (first === undefined || last === undefined || warm === undefined) throw new Error('there are samples')
  return {
    records,
    wallSeconds: (last.atMs - first.atMs) / 1000,
    cpuSeconds: last.cpuSeconds,
    perCpuSecond: records / last.cpuSeconds,
    warmPerCpuSecond: (last.records - warm.records) / (last.cpuSeconds - warm.cpuSeconds),
    warmPerSecond: ((last.records - warm.records) * 1000) / (last.atMs - warm.atMs),
    warehouseCpuSeconds: usageOf(warehouse.pid).cpuSeconds - warehouseBefore.cpuSeconds,
    warehousePeakMib: usageOf(warehouse.pid).peakMib,
    peakMib: usageOf(detector.pid).peakMib,
    residentMib: [0.25, 0.5, 0.75, 1].map((share) => resident[Math.ceil(resident.length * share) - 1] ?? NaN),
  }
}

async function progress(): Promise<Progress> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const value = (name: string) => Number(new RegExp(`^${name} ([\\d.]+)`, 'm').exec(text)?.[1] ?? 0)
  return {
    atMs: performance.now(),
    records: value('keywatch_detector_events_stored_total') + value('keywatch_detector_duplicates_total'),
    cpuSeconds: value('process_cpu_seconds_total'),
  }
}

/** How long single events take from the log to the warehouse, milliseconds, when nothing else happens. */
async function measureSingles(): Promise<number[]> {
  const latencies: number[] = []
  for (let index = 0; index < SINGLE_EVENTS; index += 1) {
    const id = `single-${index}`
    const message = anEventMessage({ sg_event_id: id, timestamp: Math.floor(Date.now() / 1000) })
    const startedAtMs = performance.now()
    await eventLog.append(topics.events, [{ key: message.key, value: JSON.stringify(message) }])
    const query = `SELECT count() AS count FROM events WHERE sg_event_id = '${id}' AND timestamp > now() - 600`
    while ((await countOf(client, query)) === 0) await wait(10)
    latencies.push(performance.now() - startedAtMs)
  }
  return latencies.toSorted((a, b) => a - b)
}

async function measurePlainCopy(): Promise<number> {
  await client.command({ query: 'CREATE TABLE plain_copy AS events' })
  const copy = startProcess(import.meta.resolve('./plain-copy.ts'), { env })
  const line = await copy.lineWith('"cpuSeconds"')
  await copy.stop()
  const read = (name: string) => Number(new RegExp(`"${name}":([\\d.]+)`).exec(line)?.[1])
  return read('records') / read('cpuSeconds')
}

/** As the supervisor starts it, and `--cpu-prof` where it was asked for. */
function nodeOptions(): string[] {
  const folder = values['cpu-prof']
  const options = [`--max-semi-space-size=${values['semi-space']}`]
  if (folder === undefined) return options
  mkdirSync(folder, { recursive: true })
  return [...options, '--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`]
}

function report(
  result: Awaited<ReturnType<typeof measureBacklog>> & {
    readonly latencies: readonly number[]
    readonly reference: number | undefined
  },
) {
  const whole = (value: number | undefined) => Math.round(value ?? NaN).toLocaleString('en')
  const [cpu] = cpus()
  const lines = [
    `Node ${process.version}, ${cpus().length} × ${cpu?.model.trim()}`,
    `detector, start to end:         ${whole(result.perCpuSecond)} events per CPU second`,
    `detector, once it is warm:      ${whole(result.warmPerCpuSecond)} events per CPU second, ${whole(result.warmPerSecond)} a second`,
    `plain copy, start to end:       ${whole(result.reference)} events per CPU second`,
    `backlog caught up in:           ${result.wallSeconds.toFixed(1)} s, detector CPU ${result.cpuSeconds.toFixed(1)} s, warehouse CPU ${result.warehouseCpuSeconds.toFixed(1)} s`,
    `detector memory of its own at each quarter: ${result.residentMib.map(whole).join(', ')} MiB; peak with the log’s pages ${whole(result.peakMib)} MiB, warehouse peak ${whole(result.warehousePeakMib)} MiB`,
    `a single event, log to warehouse: median ${whole(result.latencies[Math.floor(result.latencies.length / 2)])} ms, slowest ${whole(result.latencies.at(-1))} ms`,
  ]
  console.log(`\n${lines.join('\n')}`)
  console.log(
    `\n${whole(WANTED_PER_CPU_SECOND)} events per CPU second: ${result.warmPerCpuSecond >= WANTED_PER_CPU_SECOND ? 'reached' : 'NOT reached'}`,
  )
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'
import { Pool } from 'undici'
import { generateSigningKeys } from '#shared/domain/webhook-signature.ts'
import { startTestKafka } from '../../test/support/start-kafka.ts'
import {
  CONNECTIONS,
  createRequests,
  eventsPerRequestCases,
  requestCount,
  type SignedRequest,
} from './requests.ts'
import { measureParts, startIngestServer, startPlainServer, type MeasuredServer } from './servers.ts'

const TOPIC = 'bench.plain'
const PARTITIONS = 4
const WANTED_RATIO = 10

const { values } = parseArgs({
  options: {
    /** Writes a CPU profile of ingest into this folder. */
    'cpu-prof': { type: 'string' },
    /** Writes the figures as JSON into this file. */
    json: { type: 'string' },
    /** Measures ingest only. */
    'only-ingest': { type: 'boolean', default: false },
    /** Measures this size only, in events a request; may be repeated. */
    events: { type: 'string', multiple: true },
  },
})

const kafka = await startTestKafka()
if (kafka.kind === 'unavailable') {
  console.error(`The benchmark needs a real Kafka. ${kafka.missing}`)
  process.exit(1)
}
try {
  await createTopic(kafka.brokers)
  const rows = await measureAll(kafka.brokers)
  printTable(rows)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
} finally {
  await kafka.stop()
}

type Row = {
  readonly events: number
  readonly ingest: number
  readonly plain: number
  readonly parts: number
  readonly ingestRequestsPerSecond: number
}

async function measureAll(brokers: readonly string[]): Promise<Row[]> {
  const keys = generateSigningKeys()
  const target = { brokers, publicKey: keys.publicKey }
  const ingest = await startIngestServer(target, profileOptions())
  const plain = await startPlainServer({ ...target, topic: TOPIC })
  const rows: Row[] = []
  for (const events of values.events?.map(Number) ?? eventsPerRequestCases) {
    const { requests } = createRequests(events, keys)
    const ours = await measure(ingest, requests, requestCount.ingest(events))
    const theirs = values['only-ingest']
      ? undefined
      : await measure(plain, requests, requestCount.plain(events))
    const parts = values['only-ingest'] ? NaN : await measureParts({ brokers, topic: TOPIC, events })
    rows.push({
      events,
      ingest: ours.perCpuSecond,
      plain: theirs?.perCpuSecond ?? NaN,
      parts,
      ingestRequestsPerSecond: ours.perSecond,
    })
    console.log(
      `${events} events a request: ingest ${ours.perCpuSecond.toFixed(0)}, sample ${theirs?.perCpuSecond.toFixed(1)}, parts ${parts.toFixed(0)} requests per CPU second`,
    )
  }
  await ingest.stop()
  await plain.stop()
  return rows
}

/** Sends a quarter of the requests to warm up, then all of them, over 64 connections that are kept. */
async function measure(server: MeasuredServer, requests: readonly SignedRequest[], count: number) {
  const { origin, pathname } = new URL(server.url)
  const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 })
  const send = async (index: number) => {
    const request = requests[index % requests.length]
    if (request === undefined) throw new RangeError('there are requests')
    const { statusCode, body } = await pool.request({ path: pathname, method: 'POST', ...request })
    await body.dump()
    if (statusCode !== 200) throw new Error(`${server.url} answered ${statusCode}`)
  }
  const run = async (total: number) => {
    let sent = 0
    const worker = async () => {
      while (sent < total) await send(sent++)
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  }
  await run(Math.ceil(count / 4))
  const cpuBefore = await server.cpuSeconds()
  const startedAtMs = performance.now()
  await run(count)
  const seconds = (performance.now() - startedAtMs) / 1000
  const cpuSeconds = (await server.cpuSeconds()) - cpuBefore
  await pool.close()
  return { perCpuSecond: count / cpuSeconds, perSecond: count / seconds }
}

async function createTopic(brokers: readonly string[]) {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }], waitForLeaders: true })
  await admin.disconnect()
}

function profileOptions(): string[] {
  const directory = values['cpu-prof']
  if (directory === undefined) return []
  mkdirSync(directory, { recursive: true })
  return ['--cpu-prof', `--cpu-prof-dir=${resolve(directory)}`]
}

function printTable(rows: readonly Row[]) {
  const [cpu] = cpus()
  console.log(`\nNode ${process.version}, ${cpus().length} × ${cpu?.model.trim()}; requests per CPU second\n`)
  console.log(
    '| events a request | plain sample | ingest | ratio | parts alone | ingest against parts | events per CPU second |',
  )
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
  for (const { events, ingest, plain, parts } of rows) {
    const cells = [
      events,
      plain.toFixed(1),
      ingest.toFixed(0),
      `${(ingest / plain).toFixed(1)} ×`,
      parts.toFixed(0),
      `${(ingest / parts).toFixed(2)} ×`,
      (ingest * events).toFixed(0),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  const reached = rows.every(({ ingest, plain }) => ingest >= WANTED_RATIO * plain)
  console.log(`\n${WANTED_RATIO} times the sample at every size: ${reached ? 'reached' : 'NOT reached'}`)
}

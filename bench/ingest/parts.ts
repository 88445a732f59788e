import { createPublicKey, verify } from 'node:crypto'
import { parseArgs } from 'node:util'
import { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs'
import { SIGNATURE_HEADER, TIMESTAMP_HEADER } from '#shared/domain/webhook-signature.ts'
import { CONNECTIONS, createRequests, requestCount } from './requests.ts'

/**
 * The parts that no ingest can do without, alone and without HTTP: P-256 verification with node:crypto, JSON.parse, and
 * one kafkajs send of a request's events, as many requests at a time as the others have connections. Writes the
 * requests per CPU second.
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '' },
    topic: { type: 'string', default: '' },
    events: { type: 'string', default: '1' },
  },
})
const eventsPerRequest = Number(values.events)
const { publicKey, requests } = createRequests(eventsPerRequest)
const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })

const kafka = new Kafka({ clientId: 'parts', brokers: values.brokers.split(','), logLevel: logLevel.ERROR })
const producer = kafka.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner:
    () =>
    ({ message }) =>
      message.partition ?? 0,
})
await producer.connect()

let sent = 0
async function handleOne() {
  const request = requests[sent % requests.length]
  if (request === undefined) throw new RangeError('there are requests')
  const partition = sent % 4
  sent += 1
  const { body, headers } = request
  const signed = Buffer.concat([Buffer.from(headers[TIMESTAMP_HEADER] ?? ''), body])
  if (!verify('sha256', signed, key, Buffer.from(headers[SIGNATURE_HEADER] ?? '', 'base64')))
    throw new Error('forged')
  const events: unknown = JSON.parse(body.toString())
  const messages = (Array.isArray(events) ? events : []).map((event): Message => ({
    key: 'billing',
    value: JSON.stringify(event),
    partition,
  }))
  await producer.send({ topic: values.topic, acks: -1, compression: CompressionTypes.None, messages })
}
async function run(count: number) {
  const end = sent + count
  const worker = async () => {
    while (sent < end) await handleOne()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
}

await run(Math.ceil(requestCount.parts(eventsPerRequest) / 4))
const before = process.cpuUsage()
const count = requestCount.parts(eventsPerRequest)
await run(count)
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ requestsPerCpuSecond: count / ((user + system) / 1e6) }))
process.exit()

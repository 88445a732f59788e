import { parseArgs } from 'node:util'
import { EventWebhook, EventWebhookHeader } from '@sendgrid/eventwebhook'
import express from 'express'
import { Kafka, logLevel, Partitioners } from 'kafkajs'

/**
 * The plain way to bring SendGrid's webhooks to Kafka, as the libraries' own examples show it: express with the raw
 * body, `@sendgrid/eventwebhook`, JSON.parse, and one awaited kafkajs send per event. What ingest is measured against.
 * `GET /cpu` answers the CPU seconds used so far.
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '' },
    topic: { type: 'string', default: '' },
    'public-key': { type: 'string', default: '' },
  },
})

const kafka = new Kafka({
  clientId: 'plain-sample',
  brokers: values.brokers.split(','),
  logLevel: logLevel.ERROR,
})
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
await producer.connect()

const webhook = new EventWebhook()
const key = webhook.convertPublicKeyToECDSA(values['public-key'])

const app = express()
app.get('/cpu', (_request, response) => {
  const { user, system } = process.cpuUsage()
  response.json({ seconds: (user + system) / 1e6 })
})
app.post('/webhook', express.raw({ type: () => true, limit: '5mb' }), async (request, response) => {
  const body: unknown = request.body
  const signature = request.get(EventWebhookHeader.SIGNATURE()) ?? ''
  const timestamp = request.get(EventWebhookHeader.TIMESTAMP()) ?? ''
  if (!Buffer.isBuffer(body) || !webhook.verifySignature(key, body, signature, timestamp)) {
    response.sendStatus(401)
    return
  }
  const events: unknown = JSON.parse(body.toString())
  for (const event of Array.isArray(events) ? events : []) {
    await producer.send({ topic: values.topic, acks: -1, messages: [{ value: JSON.stringify(event) }] })
  }
  response.sendStatus(200)
})
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : undefined }))
})
process.once('SIGTERM', () => process.exit())

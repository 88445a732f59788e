import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { awaitBroker, type TestKafka } from './kafka-broker.ts'
import { startKafkaContainer } from './kafka-container.ts'
import { startKafkaProcess } from './kafka-process.ts'

const run = promisify(execFile)
const PROBE_TIMEOUT_MS = 15_000

/**
 * A real Kafka: the brokers that `KAFKA_BROKERS` names (`host:port,…`), else a container if a Docker engine
 * answers, else a process if Java and Maven are there, else what is missing.
 *
 * With `own` a broker of the caller's own is started, which may be killed; `KAFKA_BROKERS` does not count then.
 */
export async function startTestKafka(options: { readonly own?: boolean } = {}): Promise<TestKafka> {
  const given = process.env['KAFKA_BROKERS'] ?? ''
  if (given !== '' && options.own !== true) return givenBrokers(given.split(','))
  if (await answers('docker', 'info')) return startKafkaContainer()
  const missing: string[] = []
  if (!(await answers('java', '-version'))) missing.push('Java 17 or newer')
  if (!(await answers('mvn', '-version'))) missing.push('Maven')
  if (missing.length === 0) return startKafkaProcess()
  return {
    kind: 'unavailable',
    missing: `Kafka needs KAFKA_BROKERS=host:port, a running Docker engine, or Java and Maven; missing here: ${missing.join(', ')}`,
  }
}

async function givenBrokers(brokers: readonly string[]): Promise<TestKafka> {
  await awaitBroker(brokers)
  const notOurs = () => Promise.reject(new Error('the brokers of KAFKA_BROKERS are not ours to kill'))
  return {
    kind: 'running',
    brokers,
    url: `kafka://${brokers.join(',')}`,
    kill9: notOurs,
    restart: notOurs,
    stop: () => Promise.resolve(),
  }
}

async function answers(command: string, ...rest: readonly string[]): Promise<boolean> {
  try {
    await run(command, rest, { timeout: PROBE_TIMEOUT_MS })
    return true
  } catch {
    return false
  }
}

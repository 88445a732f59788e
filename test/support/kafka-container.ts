import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { awaitBroker, type TestKafka } from './kafka-broker.ts'

const run = promisify(execFile)
const IMAGE = 'apache/kafka:4.3.1'
const PULL_TIMEOUT_MS = 300_000

/** Starts one Kafka broker in a container that listens on a free port of 127.0.0.1. */
export async function startKafkaContainer(): Promise<TestKafka> {
  const port = await freePort()
  const name = `keywatch-test-kafka-${process.pid}-${port}`
  const settings = {
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '4',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    KAFKA_BROKER_SESSION_TIMEOUT_MS: '2000',
    KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '300',
  }
  const environment = Object.entries(settings).flatMap(([key, value]) => ['-e', `${key}=${value}`])
  const publish = ['-p', `127.0.0.1:${port}:9092`]
  await docker('run', '-d', '--name', name, ...publish, ...environment, IMAGE)
  const brokers = [`127.0.0.1:${port}`]
  const stop = () => docker('rm', '-f', '-v', name)
  try {
    await awaitBroker(brokers)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    kind: 'running',
    brokers,
    url: `kafka://${brokers.join(',')}`,
    kill9: () => docker('kill', '-s', 'KILL', name),
    async restart() {
      await docker('start', name)
      await awaitBroker(brokers)
    },
    stop,
  }
}

async function docker(...command: readonly string[]): Promise<void> {
  await run('docker', command, { timeout: PULL_TIMEOUT_MS })
}

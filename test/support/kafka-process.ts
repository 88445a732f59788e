import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { awaitBroker, type TestKafka } from './kafka-broker.ts'
import { kafkaLibraries } from './kafka-libraries.ts'

const run = promisify(execFile)
const STOP_TIMEOUT_MS = 10_000

/**
 * Starts one Kafka broker (KRaft, its own controller) as a child process with its data in a temporary directory.
 *
 * The broker runs under a small shell that kills it when its standard input closes, so it cannot outlive the
 * process that started it, however that one ends.
 */
export async function startKafkaProcess(): Promise<TestKafka> {
  const classPath = join(await kafkaLibraries(), '*')
  const directory = await mkdtemp(join(tmpdir(), 'keywatch-kafka-'))
  const [port, controllerPort] = [await freePort(), await freePort()]
  const properties = join(directory, 'server.properties')
  await writeFile(properties, brokerProperties({ directory, port, controllerPort }))
  const clusterId = randomBytes(16).toString('base64url')
  await run('java', [
    '-cp',
    classPath,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    properties,
  ])

  const brokers = [`127.0.0.1:${port}`]
  const logFile = join(directory, 'broker.log')
  const start = async () => {
    const started = spawnGuarded(classPath, properties, logFile)
    try {
      await awaitBroker(brokers)
    } catch (error) {
      started.stdin?.end()
      throw new Error(`Kafka did not start:\n${await readFile(logFile, 'utf8')}`, { cause: error })
    }
    return started
  }
  let guard = await start()
  return {
    kind: 'running',
    brokers,
    url: `kafka://${brokers.join(',')}`,
    // The guard answers the end of its input with SIGKILL.
    kill9: () => end(guard),
    async restart() {
      guard = await start()
    },
    async stop() {
      await end(guard)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function spawnGuarded(classPath: string, properties: string, logFile: string): ChildProcess {
  const script = 'java "$@" >>"$LOG_FILE" 2>&1 & broker=$!; cat >/dev/null; kill -9 $broker; wait $broker'
  const options = [
    '-Xmx512m',
    '-Xms256m',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    classPath,
    'kafka.Kafka',
    properties,
  ]
  return spawn('sh', ['-c', script, 'sh', ...options], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, LOG_FILE: logFile },
  })
}

async function end(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the broker did not end')), STOP_TIMEOUT_MS)
    guard.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    guard.stdin?.end()
  })
}

/** A broker that is fenced soon after it died may register again soon: the default of 9 s would be waited for. */
function brokerProperties(broker: {
  readonly directory: string
  readonly port: number
  readonly controllerPort: number
}): string {
  const { directory, port, controllerPort } = broker
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `log.dirs=${join(directory, 'data')}`,
    'auto.create.topics.enable=false',
    'offsets.topic.num.partitions=4',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'broker.session.timeout.ms=2000',
    'broker.heartbeat.interval.ms=300',
    '',
  ].join('\n')
}

import { createServer, type Server } from 'node:http'
import type { TestProject } from 'vitest/node'
import type { TestKafka } from './kafka-broker.ts'
import { startTestKafka } from './start-kafka.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers GET with the run's broker as JSON, after starting it if need be. */
    readonly kafkaStarter: string
  }
}

declare global {
  /** The test projects of a run share one process, though not their modules. */
  var keywatchTestKafka: { started?: Promise<TestKafka>; projects: number } | undefined
}

/**
 * One broker for all test files of a run. It is started when the first test asks for it, so that a run without
 * Kafka tests does not wait for it, and ended when the last test project ends.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (globalThis.keywatchTestKafka ??= { projects: 0 })
  shared.projects += 1
  const server = createServer((_request, response) => {
    shared.started ??= startTestKafka()
    shared.started.then(
      (kafka) => response.end(JSON.stringify(describeKafka(kafka))),
      (error: unknown) => {
        response.statusCode = 500
        response.end(error instanceof Error ? error.message : 'unknown')
      },
    )
  })
  const port = await listen(server)
  project.provide('kafkaStarter', `http://127.0.0.1:${port}`)
  return async () => {
    server.close()
    shared.projects -= 1
    if (shared.projects > 0) return
    globalThis.keywatchTestKafka = undefined
    const kafka = await shared.started?.catch(() => undefined)
    if (kafka?.kind === 'running') await kafka.stop()
  }
}

function describeKafka(kafka: TestKafka) {
  return kafka.kind === 'running' ? { kind: kafka.kind, brokers: kafka.brokers, url: kafka.url } : kafka
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('a TCP server has an address with a port')
  return address.port
}

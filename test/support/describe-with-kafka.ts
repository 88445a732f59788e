import { afterAll, describe, inject } from 'vitest'
import { z } from 'zod'
import type { RunningKafka, TestKafka } from './kafka-broker.ts'
import { startTestKafka } from './start-kafka.ts'

const answerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('running'), brokers: z.array(z.string()), url: z.string() }),
  z.object({ kind: z.literal('unavailable'), missing: z.string() }),
])

/** What skipped tests are defined with, so that they are counted. */
const absentKafka: RunningKafka = {
  kind: 'running',
  brokers: [],
  url: 'kafka://unavailable:9092',
  kill9: () => Promise.resolve(),
  restart: () => Promise.resolve(),
  stop: () => Promise.resolve(),
}

export type SharedKafka = { readonly brokers: readonly string[]; readonly url: string }

/**
 * A `describe` whose tests use the run's shared Kafka; await it at the top of a test file. Use a topic prefix of
 * your own: other files use the same broker.
 *
 * Without a broker the tests are skipped, counted and loud; where `CI` is `true` the file fails instead.
 */
export async function describeWithKafka(name: string, define: (kafka: SharedKafka) => void): Promise<void> {
  const kafka = await sharedKafka()
  if (kafka.kind === 'unavailable') reportSkipped(name, kafka.missing)
  // oxlint-disable-next-line vitest/valid-title -- the caller's title
  describe.skipIf(kafka.kind === 'unavailable')(name, () => {
    define(kafka.kind === 'running' ? kafka : absentKafka)
  })
}

/** As `describeWithKafka`, with a broker that belongs to these tests alone and may be killed. */
export async function describeWithOwnKafka(
  name: string,
  define: (kafka: RunningKafka) => void,
): Promise<void> {
  const kafka: TestKafka = await startTestKafka({ own: true })
  if (kafka.kind === 'unavailable') reportSkipped(name, kafka.missing)
  // oxlint-disable-next-line vitest/valid-title -- the caller's title
  describe.skipIf(kafka.kind === 'unavailable')(name, () => {
    const running = kafka.kind === 'running' ? kafka : absentKafka
    afterAll(() => running.stop())
    define(running)
  })
}

/** The run's broker, started by the first who asks. */
export async function sharedKafka(): Promise<z.output<typeof answerSchema>> {
  const response = await fetch(inject('kafkaStarter'))
  if (!response.ok) throw new Error(`Kafka did not start: ${await response.text()}`)
  return answerSchema.parse(await response.json())
}

function reportSkipped(name: string, missing: string): void {
  const skipped = `No Kafka for "${name}". ${missing}`
  if (process.env['CI'] === 'true') throw new Error(skipped)
  // oxlint-disable-next-line no-console -- nobody should believe that these tests have run
  console.warn(`SKIPPED: ${skipped}`)
}

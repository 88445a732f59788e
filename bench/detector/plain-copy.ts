import { Readable } from 'node:stream'
import { z } from 'zod'
import { loadConfig } from '#shared/config/load-config.ts'
import type { AssignedPartition } from '#shared/event-log/event-log.ts'
import { openEventLog } from '#shared/event-log/open-event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { createLogger } from '#shared/runtime/logger.ts'
import { createWarehouseClient } from '#shared/warehouse/client.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'

/**
 * What the detector is measured against: the parts that no copy of the log into a ClickHouse can do without. Reads the
 * same records with the same reader, JSON.parse, flattens the message, JSON.stringify, and one insert per block into
 * a table like `events` without rollups. No check, no masking, no hashes, no look-up of redeliveries, no position
 * to go on from after a crash, no baselines.
 */
const BLOCK_RECORDS = 5000

const messageSchema = z.object({ event: z.record(z.string(), z.unknown()) }).catchall(z.unknown())

const config = loadConfig(process.env)
const eventLog = await openEventLog(config.event_log, {
  log: createLogger('plain-copy', 'error'),
  clientId: 'plain-copy',
})
const client = createWarehouseClient(warehouseConnection(config), 'plain-copy')

async function copy(partition: AssignedPartition): Promise<number> {
  let next = 0
  for (;;) {
    const records = await partition.read({ fromOffset: next, maxRecords: BLOCK_RECORDS, maxWaitMs: 0 })
    const last = records.at(-1)
    if (last === undefined) return next
    const rows = records.map(({ value }) => {
      const message: unknown = JSON.parse(Buffer.from(value).toString('utf8'))
      const { event, ...rest } = isMessage(message) ? message : messageSchema.parse(message)
      return JSON.stringify({ ...rest, ...event })
    })
    const { stream } = await client.exec({
      query:
        'INSERT INTO plain_copy SETTINGS async_insert=0, input_format_skip_unknown_fields=1, ' +
        'input_format_parallel_parsing=0, max_insert_threads=1 FORMAT JSONEachRow',
      values: Readable.from([Buffer.from(rows.join('\n'))]),
    })
    for await (const _chunk of stream) {
      // Nothing comes back.
    }
    next = last.offset + 1
  }
}

function isMessage(value: unknown): value is z.output<typeof messageSchema> {
  return typeof value === 'object' && value !== null && 'event' in value
}

const copies: Promise<number>[] = []
await eventLog.consume({
  topic: topics.events,
  group: 'plain-copy',
  handle: async (partition) => {
    copies.push(copy(partition))
    await new Promise<void>((resolve) => {
      partition.lost.addEventListener('abort', () => resolve(), { once: true })
    })
  },
  onFailure: (error) => {
    throw error
  },
})
const records = (await Promise.all(copies)).reduce((sum, count) => sum + count, 0)
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ records, cpuSeconds: (user + system) / 1e6 }))
process.exit()

import produce, {
  type ProduceArguments,
  type ProduceTopic,
} from 'kafkajs/src/protocol/requests/produce/index.js'
import { recordCountOf, stampRecordBatch } from './kafka-record-batch.ts'

/** Sequence numbers go on from 0 after the largest 32-bit one. */
const SEQUENCES = 2 ** 31
/** From this version of the request on its record sets are record batches of magic 2. */
const RECORD_BATCH_VERSION_MIN = 3

/**
 * The sequence numbers of one idempotent producer.
 *
 * kafkajs believes that a prepared batch is one message, so its own sequence of a partition counts batches. A
 * batch that is sent again has the same number there, and gets the same first record number here.
 */
export class SequenceBook {
  readonly #last = new Map<
    string,
    { readonly batch: number; readonly start: number; readonly count: number }
  >()

  /** The sequence number of the first record of the partition's `batch`-th batch, which has `count` records. */
  start(place: string, batch: number, count: number): number {
    const last = this.#last.get(place)
    if (last?.batch === batch) return last.start
    if (batch !== (last === undefined ? 0 : last.batch + 1)) {
      throw new Error(`batch ${batch} of ${place} follows batch ${last?.batch ?? 'none'}`)
    }
    const start = last === undefined ? 0 : (last.start + last.count) % SEQUENCES
    this.#last.set(place, { batch, start, count })
    return start
  }
}

/** Which of the values given to kafkajs are record batches of ours, and whose sequence they belong to. */
const preparedBatches = new WeakMap<Buffer, SequenceBook>()

/** Lets a buffer of `RecordBatchWriter` pass through kafkajs as the value of one message. */
export function markPrepared(batch: Buffer, sequences: SequenceBook): void {
  preparedBatches.set(batch, sequences)
}

let isInstalled = false

/**
 * Makes kafkajs 2.2.4 send prepared record batches as they are.
 *
 * Its own encoding costs about ten microseconds a record, mostly in small buffers, 64-bit arithmetic and copies
 * of the list of messages; ours costs about one. Connections, leaders, retries and answers stay its business, and
 * so does every message that is not a prepared batch.
 */
export function installPreparedBatches(): void {
  if (isInstalled) return
  isInstalled = true
  const { protocol } = produce
  produce.protocol = (choice) => {
    const build = protocol(choice)
    return (parameters) => {
      const { request, response } = build(parameters)
      if (choice.version < RECORD_BATCH_VERSION_MIN || !isPrepared(parameters.topicData))
        return { request, response }
      return {
        response,
        request: { ...request, encode: () => Promise.resolve(asEncoded(encodeRequest(parameters))) },
      }
    }
  }
}

function isPrepared(topics: readonly ProduceTopic[]): boolean {
  return topics.every(({ partitions }) =>
    partitions.every(
      ({ messages: [message] }) => Buffer.isBuffer(message?.value) && preparedBatches.has(message.value),
    ),
  )
}

/** kafkajs takes these two of an encoder that it is given. */
function asEncoded(buffer: Buffer): { readonly buf: Buffer; readonly buffer: Buffer } {
  return { buf: buffer, buffer }
}

/**
 * transactional id (null) int16 | acks int16 | timeout int32 | topics: int32 count, then name, partitions: int32
 * count, then partition int32 | bytes of the record batch int32 | record batch.
 * Source: kafka.apache.org/protocol#The_Messages_Produce, versions 3 to 8.
 */
function encodeRequest({ acks, timeout, topicData, producerId, producerEpoch }: ProduceArguments): Buffer {
  const parts: Buffer[] = [int16(-1), int16(acks), int32(timeout), int32(topicData.length)]
  for (const { topic, partitions } of topicData) {
    const name = Buffer.from(topic, 'utf8')
    parts.push(int16(name.length), name, int32(partitions.length))
    for (const { partition, messages, firstSequence } of partitions) {
      const [message] = messages
      const batch = message?.value
      const sequences = Buffer.isBuffer(batch) ? preparedBatches.get(batch) : undefined
      if (!Buffer.isBuffer(batch) || sequences === undefined || messages.length !== 1) {
        throw new Error(`${topic}/${partition} has something else than one prepared batch`)
      }
      const baseSequence = sequences.start(`${topic}/${partition}`, firstSequence, recordCountOf(batch))
      stampRecordBatch(batch, { id: BigInt(producerId.toString()), epoch: producerEpoch, baseSequence })
      parts.push(int32(partition), int32(batch.length), batch)
    }
  }
  return Buffer.concat(parts)
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

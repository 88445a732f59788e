/** The part of kafkajs 2.2.4 that kafkajs-timers.ts corrects; its published types leave it out. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  class RequestQueue {
    constructor(options: {
      maxInFlightRequests: number | null
      requestTimeout: number
      enforceRequestTimeout: boolean
    })
    throttledUntil: number
    throttleCheckTimeoutId: NodeJS.Timeout | null
    pending: unknown[]
    checkPendingRequests(): void
    scheduleCheckPendingRequests(): void
    destroy(): void
  }
  export default RequestQueue
}

/** The part of kafkajs 2.2.4 that kafkajs-produce.ts replaces. */
declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  export type ProduceTopic = {
    topic: string
    partitions: {
      partition: number
      messages: { value: string | Buffer | null }[]
      firstSequence: number
    }[]
  }
  export type ProduceArguments = {
    acks: number
    timeout: number
    topicData: ProduceTopic[]
    /** A 64-bit number in one of kafkajs's forms; `toString` gives its digits. */
    producerId: { toString(): string }
    producerEpoch: number
  }
  type Encoded = { readonly buf: Buffer; readonly buffer: Buffer }
  type ProduceCall = (parameters: ProduceArguments) => {
    request: { encode: () => Promise<Encoded> }
    response: object
  }
  const produce: {
    protocol: (choice: { readonly version: number }) => ProduceCall
  }
  export default produce
}

/** kafkajs's own encoding, which tests compare ours with. */
declare module 'kafkajs/src/protocol/recordBatch/record/v0/index.js' {
  const Record: (record: { offsetDelta: number; key: string; value: string | Buffer }) => object
  export default Record
}
declare module 'kafkajs/src/protocol/recordBatch/v0/index.js' {
  const recordBatch: {
    RecordBatch: (batch: {
      records: object[]
      firstTimestamp: number
      maxTimestamp: number
      partitionLeaderEpoch: number
      lastOffsetDelta: number
      producerId: string
      producerEpoch: number
      firstSequence: number
    }) => Promise<{ readonly buffer: Buffer }>
  }
  export default recordBatch
}

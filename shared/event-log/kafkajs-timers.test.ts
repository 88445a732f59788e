import { describe, expect, it } from 'vitest'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
import { correctRequestQueueTimer } from './kafkajs-timers.ts'

const HOUR_MS = 3_600_000

function emptyQueue(): RequestQueue {
  correctRequestQueueTimer()
  return new RequestQueue({ maxInFlightRequests: null, requestTimeout: 1000, enforceRequestTimeout: false })
}

describe("kafkajs's request queue", () => {
  it('arms no timer while no request waits and no throttling is in force', () => {
    const queue = emptyQueue()
    queue.scheduleCheckPendingRequests()
    expect(queue.throttleCheckTimeoutId).toBeNull()
  })

  it('arms one for the end of a throttling', () => {
    const queue = emptyQueue()
    queue.throttledUntil = Date.now() + HOUR_MS
    queue.scheduleCheckPendingRequests()
    expect(queue.throttleCheckTimeoutId).not.toBeNull()
    queue.destroy()
    expect(queue.throttleCheckTimeoutId).toBeNull()
  })
})

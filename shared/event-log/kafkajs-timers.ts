import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/** As kafkajs has it: how soon requests that wait for their turn are looked at again. */
const PENDING_CHECK_INTERVAL_MS = 10

/**
 * Corrects a timer of kafkajs 2.2.4 (its issue 1751, unfixed since the last release in 2023).
 *
 * After every answer each connection arms a timer for the end of a throttling that is not in force, that is for
 * a time in the past. It fires at once and arms itself again: every connection wakes the process a thousand
 * times a second for ever, and newer Node versions warn about it (TimeoutNegativeWarning). Here the timer is
 * armed only while a throttling is in force or a request waits.
 */
export function correctRequestQueueTimer(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null) return
    const throttledMs = this.throttledUntil - Date.now()
    if (throttledMs <= 0 && this.pending.length === 0) return
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      throttledMs > 0 ? throttledMs : PENDING_CHECK_INTERVAL_MS,
    )
  }
}

/** SendGrid sends a dozen headers and proxies add a few; at this number a request is refused. */
export const HEADERS_MAX = 100
/** Bytes of request line and headers; beyond it the parser answers 431. */
export const HEADER_BYTES_MAX = 16 * 1024
/** Headers must be here within this time, the whole request within the next: else 408. */
export const HEADERS_TIMEOUT_MS = 5000
export const REQUEST_TIMEOUT_MS = 15_000
/** How often Node.js looks for connections past those times; its default of 30 s would make them meaningless. */
export const TIMEOUT_CHECK_INTERVAL_MS = 500
/** Longer than the idle times of common load balancers (60 s), so that they close first and no request is lost. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000
export const CONNECTIONS_MAX = 10_000

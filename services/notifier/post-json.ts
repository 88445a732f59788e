import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent, request, type Dispatcher } from 'undici'
import { AppError } from '#shared/runtime/app-error.ts'
import type { DeliveryOutcome } from './channel.ts'
import { isPublicAddress } from './public-address.ts'

/** One try may take this long in all; a receiver that needs longer should answer first and work later. */
const TRY_TIMEOUT_MS = 5000
const NO_ANSWER = `no answer within ${TRY_TIMEOUT_MS / 1000} s`
const OUR_HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'user-agent': 'Keywatch notifier',
}
/** Of an answer no more is read than this. */
const ANSWER_BYTES_MAX = 64 * 1024
/** Enough of a refusal to understand it in the log, e.g. Slack's `invalid_payload`. */
const REASON_LENGTH_MAX = 120

/** `dns.lookup` as it is used here. */
type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export type PostJson = {
  /** POSTs once. Never rejects for what the other side does; redirects are not followed. */
  readonly post: (
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => Promise<DeliveryOutcome>
  readonly close: () => Promise<void>
}

/**
 * Prepares POSTs to one configured URL, which must be https and lead to a public address unless
 * `allowPrivateAddress` is set.
 *
 * An address is checked where it is used: the name is resolved once per connection, every address it has must be
 * public, and the connection goes to just those. So a name that changes its address after the check (DNS
 * rebinding) gains nothing. Throws the AppError `CONFIG_INVALID` for a URL that can never be allowed.
 */
export function preparePosts(options: {
  readonly name: string
  readonly url: string
  readonly allowPrivateAddress: boolean
  readonly nowMs: () => number
  readonly lookup?: LookupAll
}): PostJson {
  const url = checkedUrl(options)
  const lookup: LookupAll = options.lookup ?? systemLookup
  const agent = new Agent({
    connect: {
      timeout: TRY_TIMEOUT_MS,
      ...(options.allowPrivateAddress ? {} : { lookup: publicLookup(lookup) }),
    },
    connections: 2,
  })
  const post: PostJson['post'] = async (body, headers, signal) => {
    // A timer of our own: Node 20 may collect AbortSignal.timeout inside AbortSignal.any, and it never fires.
    const ended = new AbortController()
    const timer = setTimeout(() => ended.abort(new Error(NO_ANSWER)), TRY_TIMEOUT_MS)
    const end = () => ended.abort()
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: agent,
        signal: ended.signal,
        headers: { ...headers, ...OUR_HEADERS },
        body,
      })
      const text = await readStart(answer.body)
      return outcomeOf(answer, text, options.nowMs())
    } catch (error) {
      return { kind: 'unavailable', reason: describeFailure(error) }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }
  return { post, close: () => agent.destroy() }
}

function checkedUrl(options: {
  readonly name: string
  readonly url: string
  readonly allowPrivateAddress: boolean
}): URL {
  const fault = (problem: string) =>
    new AppError('CONFIG_INVALID', `notifier.channels.${options.name}.url ${problem}`, { retriable: false })
  // The parser's own error holds the URL, which is a secret; it is not passed on.
  if (!URL.canParse(options.url)) throw fault('is not a URL')
  const url = new URL(options.url)
  if (url.username !== '' || url.password !== '') {
    throw fault('must not hold a user name or password; the signature says who sends')
  }
  if (options.allowPrivateAddress) {
    if (url.protocol !== 'https:' && url.protocol !== 'http:')
      throw fault('must start with https:// or http://')
    return url
  }
  if (url.protocol !== 'https:') throw fault('must start with https://')
  // The URL parser has turned every spelling of an address (0x7f.1, 2130706433) into the usual one.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const literal = /^[\d.]+$/.test(host) || host.includes(':')
  if (literal && !isPublicAddress(host)) {
    throw fault('leads to a private address; set allow_private_address: true if it is meant')
  }
  return url
}

/** Resolves like the system does, but fails unless every address is public. */
function publicLookup(lookup: LookupAll): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error !== null) {
        callback(error, '')
      } else if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        callback(new Error('the name leads to a private address; allow_private_address is not set'), '')
      } else if (options.all === true) {
        callback(null, addresses)
      } else {
        callback(null, first.address, first.family)
      }
    })
  }
}

/**
 * Reads at most 64 KiB and gives the start of it. The status has said what matters: an answer that is too long
 * or breaks off does not turn an accepted message into one to send again.
 */
async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= ANSWER_BYTES_MAX) break
    }
  } catch {
    return ''
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, REASON_LENGTH_MAX)
}

/** Request time-out, too early and too many requests pass; every other 4xx says that the message is unwanted. */
const PASSING_STATUSES = new Set([408, 425, 429])

function outcomeOf(
  answer: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>,
  text: string,
  nowMs: number,
): DeliveryOutcome {
  const status = answer.statusCode
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  const reason = `status ${status}${text === '' ? '' : `: ${text}`}`
  if (status < 500 && !PASSING_STATUSES.has(status)) return { kind: 'refused', reason }
  const retryAfter = answer.headers['retry-after']
  const retryAfterMs = typeof retryAfter === 'string' ? parseRetryAfter(retryAfter, nowMs) : undefined
  return retryAfterMs === undefined
    ? { kind: 'unavailable', reason }
    : { kind: 'unavailable', reason, retryAfterMs }
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3), as milliseconds from now. */
export function parseRetryAfter(text: string, nowMs: number): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  return error.message === '' ? error.name : error.message
}

import type { RejectedMessage } from './log-message.ts'

/** The elements of a webhook's array, not yet looked at; or why the body as a whole cannot be read. */
export type ParsedBody =
  | { readonly kind: 'elements'; readonly elements: readonly unknown[] }
  | { readonly kind: 'rejected'; readonly reason: RejectedMessage['reason']; readonly detail: string }

/** Strict: a wrong byte is an error instead of U+FFFD, and a byte order mark stays, which makes it no JSON. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads a signed body. Nothing of the body is repeated in `detail`: it may hold addresses. */
export function parseWebhookBody(body: Uint8Array): ParsedBody {
  let text: string
  try {
    text = decoder.decode(body)
  } catch {
    return { kind: 'rejected', reason: 'invalid_utf8', detail: 'the body is not UTF-8' }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const position = /at position \d+/.exec(error instanceof Error ? error.message : '')?.[0]
    const detail = position === undefined ? 'the body is not JSON' : `the body is not JSON: fault ${position}`
    return { kind: 'rejected', reason: 'invalid_json', detail }
  }
  if (!Array.isArray(value)) {
    return { kind: 'rejected', reason: 'not_an_array', detail: 'the body is not a JSON array' }
  }
  return { kind: 'elements', elements: value }
}

const OPENING = new Set(['[', '{'].map((character) => character.charCodeAt(0)))
const CLOSING = new Set([']', '}'].map((character) => character.charCodeAt(0)))
const SPACE = new Set([' ', '\t', '\r', '\n'].map((character) => character.charCodeAt(0)))
const [QUOTE = 0, BACKSLASH = 0, COMMA = 0] = ['"', '\\', ','].map((character) => character.charCodeAt(0))

/**
 * The bytes of each element of a JSON array, as they came. Works without recursion and without building the values,
 * so that an element which is nested too deep to serialise again can still be kept; one element at a time, because
 * five megabytes hold millions of them. The body must be a JSON array that `parseWebhookBody` accepted.
 */
export function* elementBytes(body: Uint8Array): Generator<Uint8Array, void, void> {
  let depth = 0
  let start = -1
  let end = -1
  let inText = false
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0
    if (inText) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) inText = false
      end = at + 1
      continue
    }
    if (SPACE.has(byte)) continue
    const closing = CLOSING.has(byte)
    if (closing) depth -= 1
    const last = depth === 0 && closing
    if (last || (depth === 1 && byte === COMMA)) {
      if (start !== -1) yield body.subarray(start, end)
      if (last) return
      start = -1
      continue
    }
    if (depth >= 1) {
      if (start === -1) start = at
      end = at + 1
    }
    if (byte === QUOTE) inText = true
    else if (OPENING.has(byte)) depth += 1
  }
}

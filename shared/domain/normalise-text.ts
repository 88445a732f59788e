/// <reference lib="es2024.string" />
import { sha256Hex } from './canonical-json.ts'
import { TEXT_BYTES_MAX, TEXT_UNITS_SAFE } from './event-shape.ts'

const CUT_MARK = '…[cut] sha256:'
/** Room for the mark (three bytes of which are the ellipsis) and 64 hexadecimal digits. */
const KEPT_BYTES = TEXT_BYTES_MAX - (CUT_MARK.length + 2) - 64
const encoder = new TextEncoder()

/** Whether `normaliseText` would return the text unchanged without having to measure it. */
export function isPlainText(text: string): boolean {
  return text.length <= TEXT_UNITS_SAFE && text.isWellFormed()
}

/**
 * Text that every store takes: lone surrogates become U+FFFD (one of them makes ClickHouse refuse a whole
 * insert), and what exceeds 8 KiB of UTF-8 is cut to that size, ending in `…[cut] sha256:` and the hash of
 * the whole. NUL, line breaks and direction marks are kept: whoever shows or sends the text escapes it.
 */
export function normaliseText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed()
  if (wellFormed.length <= TEXT_UNITS_SAFE || Buffer.byteLength(wellFormed) <= TEXT_BYTES_MAX)
    return wellFormed
  const { read } = encoder.encodeInto(wellFormed, new Uint8Array(KEPT_BYTES))
  return `${wellFormed.slice(0, read)}${CUT_MARK}${sha256Hex(wellFormed)}`
}

/** Well-formed and at most `unitsMax` UTF-16 units; for names and labels, where the end does not matter. */
export function cutText(text: string, unitsMax: number): string {
  return text.length <= unitsMax ? text.toWellFormed() : dropSplitPair(text.slice(0, unitsMax)).toWellFormed()
}

function dropSplitPair(text: string): string {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text
}

import { cutText } from '#shared/domain/normalise-text.ts'
import { UNATTRIBUTED, type Signal } from '#shared/domain/alert.ts'
import { isoOfMinute } from './clock.ts'

const SUMMARY_MAX = 1000

/** Made once: to make one costs a hundred times as much as to use it. */
const wholeNumbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

/** `1,234`; small fractions keep one digit, so that an expectation of 0.4 does not read as none. */
export function number(value: number): string {
  return (Math.abs(value) < 10 && !Number.isInteger(value) ? tenths : wholeNumbers).format(value)
}

/** `2026-11-24 02:17 UTC`. */
export function moment(minute: number): string {
  return `${isoOfMinute(minute).slice(0, 16).replace('T', ' ')} UTC`
}

export function span(minutes: number): string {
  if (minutes === 1) return '1 minute'
  return minutes % 60 === 0 ? (minutes === 60 ? '1 hour' : `${minutes / 60} hours`) : `${minutes} minutes`
}

/** What is usual in a window, to follow "where": `none is usual at this hour`, `5 to 20 are usual (expected 12)`. */
export function usualCount(usual: { readonly low: number; readonly high: number }, expected: number): string {
  if (usual.high < 1) return 'none is usual at this hour'
  if (expected < 0.1) return 'hardly any is usual at this hour'
  const range =
    usual.low === usual.high ? number(usual.high) : `${number(usual.low)} to ${number(usual.high)}`
  return `${range} ${usual.high === 1 ? 'is' : 'are'} usual (expected ${number(expected)})`
}

/** What a whole episode would usually have had, to follow "where". */
export function aboutUsual(expected: number): string {
  return expected < 1 ? 'hardly any is usual' : `about ${number(expected)} are usual`
}

/** Who sent, for a sentence. Names are the sender's choice, so they are quoted and kept short. */
export function sender(source: string, key: string): string {
  return key === UNATTRIBUTED ? `Unattributed mail on ${source}` : `Key "${cutText(key, 80)}" on ${source}`
}

/** Joins sentences and keeps to the length that the alert's contract allows. */
export function sentences(parts: readonly string[]): string {
  // Whatever a part was cut from, half a character would be refused by the warehouse.
  const text = parts
    .filter((part) => part !== '')
    .join(' ')
    .toWellFormed()
  return text.length <= SUMMARY_MAX ? text : `${cutText(text, SUMMARY_MAX - 1)}…`
}

export function runbookOf(signal: Signal): string {
  return `docs/runbooks.md#${signal.replaceAll(/[._]/g, '-')}`
}

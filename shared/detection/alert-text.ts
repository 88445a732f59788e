import { cutText } from '#shared/domain/normalise-text.ts'
import { UNATTRIBUTED, type Signal } from '#shared/domain/alert.ts'
import { isoOfMinute } from './clock.ts'

const SUMMARY_MAX = 1000

/** `1,234`; small fractions keep one digit, so that an expectation of 0.4 does not read as none. */
export function number(value: number): string {
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
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
  const text = parts.filter((part) => part !== '').join(' ')
  return text.length <= SUMMARY_MAX ? text : `${cutText(text, SUMMARY_MAX - 1)}…`
}

export function runbookOf(signal: Signal): string {
  return `docs/runbooks.md#${signal.replaceAll(/[._]/g, '-')}`
}

const REVOKE =
  'If nobody can explain it: revoke the key in SendGrid under Settings → API Keys, and make a new one.'
const CONFIRM =
  'Attribution is claimed, not proven: confirm the key in SendGrid under Activity (filter by API key) before acting.'

/** What to do next, in order, for each signal. */
export function nextSteps(signal: Signal, key: string): string[] {
  switch (signal) {
    case 'volume.spike':
      return key === UNATTRIBUTED
        ? nextSteps('key.unattributed', key)
        : [
            'Ask the owner of the key whether a deployment, a batch or a campaign started at this time.',
            'Look at what is being sent: categories, templates and recipient domains in the evidence.',
            REVOKE,
            CONFIRM,
          ]
    case 'key.unattributed':
      return [
        'Look at what is being sent: mail without your custom arguments is what a thief with a stolen key sends.',
        'Find the key in SendGrid under Activity: filter by the time above and look at the API key of a message.',
        'Revoke that key under Settings → API Keys, and make a new one for its owner.',
        'If it is your own new service, let it send the custom argument that the attribution rules expect.',
      ]
    case 'key.new':
      return [
        'Check that somebody made this key on purpose; if not, revoke it under Settings → API Keys.',
        'Tell its owner that it is being watched from now on.',
      ]
    case 'key.overflow':
      return [
        'Look for names that change with every message: an attribution rule that reads a message id makes a key a mail.',
        'Correct the attribution rule, or raise detector.live_keys_max.',
      ]
    case 'source.silent':
      return [
        'Check in SendGrid under Settings → Mail Settings → Event Webhook that the webhook is on and its URL is right.',
        'Check that the ingest service answers at that URL, and look for rejected requests in its metrics.',
        'A key that SendGrid revoked, or a suspended account, is silent too: look at the account’s state.',
      ]
    case 'account.status_changed':
      return [
        'Open the SendGrid account and read the notice from SendGrid’s compliance team.',
        'Look for open alerts on its keys: a suspension often follows misuse.',
      ]
    case 'schema.unknown_field':
      return ['Look at the new field in the events, and tell the maintainers of this installation.']
    case 'pipeline.test':
      return ['Nothing to do: a person asked for this test.']
    default:
      return signal satisfies never
  }
}

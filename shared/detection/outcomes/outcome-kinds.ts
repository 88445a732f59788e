import type { Signal } from '#shared/domain/alert.ts'
import type { EngineEvent } from '../engine-input.ts'
import {
  DEFERRED,
  DELIVERED,
  DROPPED,
  INVALID,
  PROCESSED,
  REFUSED,
  SPAM_REPORT,
  TECHNICAL,
  UNSUBSCRIBE,
} from './outcome-counts.ts'

/** What a rise of one kind of failure or complaint may mean, and how it usually behaves. */
export type OutcomeKind = {
  readonly column: number
  readonly signal: Signal
  /** Never more points than this: what else than misuse may be behind it. */
  readonly pointsMax: number
  /** The same when nearly all of it is at one recipient domain. */
  readonly oneDomainMax: number
  /** The share that keys usually have, and how many failures' worth of history that opinion weighs. */
  readonly usualShare: number
  readonly usualWeight: number
  /** Squared coefficient of variation of the share between like hours or days, before the key has shown its own. */
  readonly variation: number
  /** When it happens after the message: a deferral again and again for hours, a complaint within days. */
  readonly timing: 'at-once' | 'soon' | 'retried' | 'late'
  /** What so many messages did, after a number of messages. */
  readonly verb: string
}

const invalid: OutcomeKind = {
  column: INVALID,
  signal: 'rate.bounce',
  pointsMax: 9,
  oneDomainMax: 1.5,
  usualShare: 0.004,
  usualWeight: 0.6,
  variation: 0.3,
  timing: 'soon',
  verb: 'bounced as invalid addresses',
}

/** By the column they count in. */
const kinds: readonly OutcomeKind[] = [
  invalid,
  {
    ...invalid,
    column: REFUSED,
    pointsMax: 3,
    usualShare: 0.003,
    usualWeight: 0.4,
    variation: 1,
    verb: 'were refused by the receiver',
  },
  {
    ...invalid,
    column: TECHNICAL,
    pointsMax: 1.5,
    usualShare: 0.003,
    usualWeight: 0.4,
    variation: 2,
    verb: 'bounced for technical reasons',
  },
  {
    // Drops tell of recipients on SendGrid's own suppression lists: an old list does that too.
    column: DROPPED,
    signal: 'rate.drop',
    pointsMax: 4,
    oneDomainMax: 1.5,
    usualShare: 0.005,
    usualWeight: 0.4,
    variation: 1,
    timing: 'at-once',
    verb: 'were dropped by SendGrid',
  },
  {
    // An incident at SendGrid or at a receiver.
    column: DEFERRED,
    signal: 'rate.defer',
    pointsMax: 2,
    oneDomainMax: 1.5,
    usualShare: 0.04,
    usualWeight: 1,
    variation: 1,
    timing: 'retried',
    verb: 'were deferred',
  },
  {
    column: SPAM_REPORT,
    signal: 'rate.spam_report',
    pointsMax: 9,
    oneDomainMax: 9,
    usualShare: 0.0003,
    usualWeight: 0.3,
    variation: 0.4,
    timing: 'late',
    verb: 'were reported as spam',
  },
  {
    column: UNSUBSCRIBE,
    signal: 'rate.unsubscribe',
    pointsMax: 4,
    oneDomainMax: 4,
    usualShare: 0.001,
    usualWeight: 0.3,
    variation: 0.7,
    timing: 'late',
    verb: 'made their recipient unsubscribe',
  },
]

export function kindOf(column: number): OutcomeKind {
  const kind = kinds[column - INVALID]
  if (kind === undefined) throw new RangeError(`column ${column} counts no failure`)
  return kind
}

/** The column that an event counts in; undefined for events that say nothing about outcomes. */
export function columnOf(event: EngineEvent): number | undefined {
  switch (event.event) {
    case 'processed':
      return PROCESSED
    case 'delivered':
      return DELIVERED
    case 'bounce':
      return bounceColumn(event.facts?.bounceClass ?? '')
    case 'dropped':
      return DROPPED
    case 'deferred':
      return DEFERRED
    case 'spamreport':
      return SPAM_REPORT
    case 'unsubscribe':
    case 'group_unsubscribe':
      return UNSUBSCRIBE
    default:
      return undefined
  }
}

/**
 * SendGrid's classes: only an address that does not exist tells of a list that was bought or guessed. Events from
 * before SendGrid had classes say nothing, and most bounces are of that class, so they count as it.
 */
function bounceColumn(bounceClass: string): number {
  const name = bounceClass.toLowerCase()
  if (name === '' || name.startsWith('invalid')) return INVALID
  return name === 'technical' ? TECHNICAL : REFUSED
}

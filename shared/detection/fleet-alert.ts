import { EVERY, type Alert, type Severity } from '#shared/domain/alert.ts'
import { cutText } from '#shared/domain/normalise-text.ts'
import { moment, number } from './alert-text.ts'
import { isoOfMinute } from './clock.ts'
import type { FleetMember } from './fleet-members.ts'
import { noticeOf, resolved } from './notice.ts'
import { usualInterval, type CountDistribution } from './statistics/negative-binomial.ts'

/** What may be behind evidence on many keys at once. */
export type FleetCause = 'stolen_keys' | 'receiver_or_provider' | 'volume' | 'unknown'

const severityOf: Readonly<Record<FleetCause, Severity>> = {
  stolen_keys: 'warning',
  unknown: 'warning',
  volume: 'info',
  receiver_or_provider: 'info',
}

const remarkOf: Readonly<Record<FleetCause, string>> = {
  stolen_keys:
    'What they send or to whom is strange: somebody may have taken them from one place, such as a vault or a build server.',
  unknown: 'One cause is likely: a deployment, an incident, or a place where all these keys were kept.',
  volume: 'Only their volume is unusual: a busy day, or a job that ran twice.',
  receiver_or_provider:
    'Nothing but delivery is unusual: an incident at SendGrid or at a receiver is likely.',
}

/** What the fleet's evidence amounts to at one time. */
export type FleetFinding = {
  readonly cause: FleetCause
  /** Keys in the window that decided, how many are usual, and how surprising that is. */
  readonly keys: number
  readonly usual: CountDistribution
  readonly surprise: number
  readonly liveKeys: number
  readonly windowMinutes: number
}

export function severityOfFinding({ cause }: FleetFinding): Severity {
  return severityOf[cause]
}

const KEYS_LISTED = 50
const KEYS_NAMED = 5
const DIGITS = 1000

export function fleetAlert(
  members: readonly FleetMember[],
  finding: FleetFinding,
  given: { readonly startMinute: number; readonly nowMs: number },
): Alert {
  const [first] = members
  const oneSource = members.every(({ source }) => source === first?.source)
  const notice = noticeOf({
    source: oneSource && first !== undefined ? first.source : EVERY,
    signal: 'fleet.shift',
    severity: severityOfFinding(finding),
    startMinute: given.startMinute,
    nowMs: given.nowMs,
    observed: finding.keys,
    evidence: evidenceOf(members, finding),
    summary: summaryOf(members, finding, given.startMinute),
  })
  return { ...notice, ...numbersOf(finding) }
}

/** The alert with further keys, or with what is now thought to be behind it. */
export function raisedFleetAlert(
  alert: Alert,
  members: readonly FleetMember[],
  given: { readonly finding: FleetFinding; readonly startMinute: number; readonly nowMs: number },
): Alert {
  const { finding, startMinute, nowMs } = given
  return {
    ...alert,
    revision: alert.revision + 1,
    severity: severityOfFinding(finding),
    changed_at: new Date(nowMs).toISOString(),
    ...numbersOf(finding),
    evidence: evidenceOf(members, finding),
    summary: summaryOf(members, finding, startMinute),
  }
}

export function endedFleetAlert(
  alert: Alert,
  members: readonly FleetMember[],
  given: {
    readonly finding: FleetFinding
    readonly startMinute: number
    readonly endMinute: number
    readonly nowMs: number
  },
): Alert {
  const { finding, startMinute, endMinute, nowMs } = given
  const over = `No further key since ${moment(endMinute)}.`
  const summary = `${over} ${summaryOf(members, finding, startMinute)}`
  return {
    ...resolved(alert, { endedAt: isoOfMinute(endMinute), nowMs, summary }),
    evidence: evidenceOf(members, finding),
  }
}

function numbersOf({ keys, usual, surprise, windowMinutes }: FleetFinding) {
  const { low, high } = usualInterval(usual)
  return {
    observed: keys,
    expected: rounded(usual.mean),
    expected_low: low,
    expected_high: high,
    score: rounded(surprise),
    p_value: 10 ** -surprise,
    window_seconds: windowMinutes * 60,
  }
}

function evidenceOf(members: readonly FleetMember[], finding: FleetFinding): Alert['evidence'] {
  return {
    likely_cause: finding.cause,
    keys_together: finding.keys,
    keys_usually: rounded(finding.usual.mean),
    keys_in_all: members.length,
    live_keys: finding.liveKeys,
    keys: members.slice(0, KEYS_LISTED).map(({ source, key, points, minute }) => ({
      source,
      key,
      since: isoOfMinute(minute),
      signals: [...points.keys()].toSorted(),
      points: rounded(Math.max(...points.values())),
    })),
  }
}

function summaryOf(members: readonly FleetMember[], finding: FleetFinding, startMinute: number): string {
  const named = members
    .slice(0, KEYS_NAMED)
    .map(({ key }) => `"${cutText(key, 40)}"`)
    .join(', ')
  const { high } = usualInterval(finding.usual)
  const usually = high < 1 ? 'none is usual' : `${number(high)} at most ${high === 1 ? 'is' : 'are'} usual`
  const more = members.length > KEYS_NAMED ? ` and ${members.length - KEYS_NAMED} more` : ''
  return (
    `${number(finding.keys)} of ${number(finding.liveKeys)} keys became unusual within ${finding.windowMinutes} minutes ` +
    `where ${usually}, since ${moment(startMinute)}: ` +
    `${named}${more}. ${remarkOf[finding.cause]}`
  )
}

function rounded(value: number): number {
  return Math.round(value * DIGITS) / DIGITS
}

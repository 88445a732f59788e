import { EVERY, type Alert, type Signal } from '#shared/domain/alert.ts'
import { minuteOf, secondsOfIso } from './clock.ts'
import { groupOf, scoreOf } from './incident-score.ts'

/** Evidence on one key, when it opened or grew. */
export type FleetOpening = {
  readonly source: string
  readonly key: string
  readonly signal: Signal
  readonly points: number
  /** Event time at which the evidence began, minutes since the epoch. */
  readonly minute: number
  /** Arrival clock. */
  readonly nowMs: number
  /** Of bounces and drops: nearly all at one recipient domain. */
  readonly oneDomain?: boolean
}

/** What an alert of one key says to the fleet; undefined for alerts that are over or not about one key's mail. */
export function openingOf(alert: Alert): FleetOpening | undefined {
  if (alert.status !== 'open' || alert.key === EVERY || !isAboutMail(alert.signal)) return undefined
  return {
    source: alert.source,
    key: alert.key,
    signal: alert.signal,
    points: alert.score,
    minute: minuteOf(secondsOfIso(alert.started_at)),
    nowMs: Date.parse(alert.changed_at),
    oneDomain: alert.evidence['one_recipient_domain'] === true,
  }
}

/** Notices about the pipeline, the account, or the mere existence of a key are no evidence on a key. */
function isAboutMail(signal: Signal): boolean {
  const family = signal.slice(0, signal.indexOf('.'))
  return (
    ['volume', 'rate', 'novelty', 'mix'].includes(family) ||
    signal === 'key.unattributed' ||
    signal === 'key.dormant_woke' ||
    signal === 'key.retired_used'
  )
}

/** From here on evidence counts for the fleet, whether it wakes somebody by itself or not. */
export const MODERATE_POINTS = 2
/** From here on what a key sends, or to whom, is strange by itself; with everything else on the key, from here on. */
const STRONG_POINTS = 4
const STRONG_IN_ALL = 5

/** A key with moderate evidence. */
export type FleetMember = {
  readonly source: string
  readonly key: string
  /** When its evidence became moderate, and strong; event time. Infinity while it is not strong. */
  readonly minute: number
  strongMinute: number
  /** The most points of each signal. */
  readonly points: Map<Signal, number>
  /** Every signal may come from an incident at a receiver or at SendGrid. */
  onlyDelivery: boolean
  /** Arrival clock of the latest news, minutes. */
  lastClockMinute: number
}

export function createMember(opening: FleetOpening): FleetMember {
  return {
    source: opening.source,
    key: opening.key,
    minute: opening.minute,
    strongMinute: Infinity,
    points: new Map(),
    onlyDelivery: true,
    lastClockMinute: 0,
  }
}

/** Adds what is new about a member; answers whether it has become strong by it. */
export function addToMember(member: FleetMember, opening: FleetOpening, clockMinute: number): boolean {
  const { signal, points } = opening
  member.points.set(signal, Math.max(points, member.points.get(signal) ?? 0))
  member.onlyDelivery &&= isDelivery(opening)
  member.lastClockMinute = clockMinute
  if (member.strongMinute !== Infinity || !isStrong(member)) return false
  member.strongMinute = opening.minute
  return true
}

function isDelivery({ signal, oneDomain }: FleetOpening): boolean {
  if (signal === 'rate.bounce' || signal === 'rate.drop') return oneDomain === true
  return signal === 'rate.defer' || signal === 'volume.drop'
}

/** What it sends, to whom and where its links lead; keys that nobody should be using count as well. */
function isStrong({ points }: FleetMember): boolean {
  const evidence = [...points].map(([signal, value]) => ({ signal, points: value }))
  const { total, groups } = scoreOf(evidence)
  const strange = groups.sender + groups.audience + groups.key + (points.get('novelty.url_domain') ?? 0)
  return strange >= STRONG_POINTS || (strange >= MODERATE_POINTS && total >= STRONG_IN_ALL)
}

export function hasOnlyVolume({ points }: FleetMember): boolean {
  return [...points.keys()].every((signal) => groupOf(signal) === 'volume')
}

import { cutText } from '#shared/domain/normalise-text.ts'
import { UNATTRIBUTED, type Alert } from '#shared/domain/alert.ts'
import { isoOfSeconds, minuteOf, secondsOfIso } from './clock.ts'
import type { EngineEvent } from './engine-input.ts'
import { noticeOf, resolved } from './notice.ts'
import { moment, number } from './alert-text.ts'

type NewKey = {
  readonly source: string
  readonly key: string
  readonly minute: number
  readonly nowMs: number
}
type Overflow = NewKey & { readonly liveKeys: number }

/** Notices of things that happen once; they end by themselves after a while. */
export type Notices = {
  /** Answers the notice, unless it was announced before. */
  readonly newKey: (seen: NewKey) => Alert | undefined
  readonly overflow: (seen: Overflow) => void
  readonly accountStatusChanged: (event: EngineEvent) => void
  readonly expire: (nowMs: number) => void
  readonly openCount: () => number
}

const HOUR_SECONDS = 3600
const LIFETIME_SECONDS: Readonly<Partial<Record<Alert['signal'], number>>> = {
  'key.new': HOUR_SECONDS,
  'key.overflow': HOUR_SECONDS,
  'account.status_changed': 24 * HOUR_SECONDS,
  'schema.unknown_field': 24 * HOUR_SECONDS,
}

/** After this many new keys of a source within an hour the rest of them share one notice. */
const NEW_KEYS_AN_HOUR = 5
/**
 * So many new names within an hour are no roll-out of new keys: somebody invents a name for every message, so that
 * none of them is ever more than new.
 */
const CROWD_AN_HOUR = 15

export function createNotices(emit: (alert: Alert) => void): Notices {
  const open = new Map<string, Alert>()
  const newKeys = new Map<string, { hour: number; count: number }>()

  const announce = (alert: Alert) => {
    if (open.has(alert.alert_id)) return undefined
    open.set(alert.alert_id, alert)
    emit(alert)
    return alert
  }

  return {
    openCount: () => open.size,
    newKey: (seen) => {
      if (seen.key === UNATTRIBUTED) return undefined
      const hour = hourOfMs(seen.nowMs)
      const before = newKeys.get(seen.source)
      const count = before?.hour === hour ? before.count + 1 : 1
      newKeys.set(seen.source, { hour, count })
      return announce(count > NEW_KEYS_AN_HOUR ? newKeysNotice(seen, count) : newKeyNotice(seen))
    },
    overflow: (seen) => {
      announce(overflowNotice(seen))
    },
    accountStatusChanged: (event) => {
      announce(accountNotice(event))
    },
    expire: (nowMs) => {
      for (const alert of open.values()) {
        const endSeconds = endOfNotice(alert)
        if (endSeconds === undefined || endSeconds * 1000 > nowMs) continue
        open.delete(alert.alert_id)
        emit(ended(alert, endSeconds, nowMs))
      }
    },
  }
}

/** How long the engine that gave a notice has to end it before somebody else does. */
const GRACE_SECONDS = 600

/** The ends of notices that are long over: the engine that gave them was stopped, and none remembers them. */
export function expiredNotices(open: readonly Alert[], nowMs: number): Alert[] {
  return open.flatMap((alert) => {
    const endSeconds = endOfNotice(alert)
    if (endSeconds === undefined || (endSeconds + GRACE_SECONDS) * 1000 > nowMs) return []
    return [ended(alert, endSeconds, nowMs)]
  })
}

/** Seconds since the epoch; undefined for an alert that does not end by itself. */
function endOfNotice(alert: Alert): number | undefined {
  const lifetime = LIFETIME_SECONDS[alert.signal]
  return lifetime === undefined ? undefined : secondsOfIso(alert.detected_at) + lifetime
}

function ended(alert: Alert, endSeconds: number, nowMs: number): Alert {
  return resolved(alert, { endedAt: isoOfSeconds(endSeconds), nowMs, summary: alert.summary })
}

function hourOfMs(nowMs: number): number {
  return Math.floor(nowMs / (HOUR_SECONDS * 1000))
}

function newKeyNotice({ source, key, minute, nowMs }: NewKey): Alert {
  return noticeOf({
    source,
    key,
    signal: 'key.new',
    severity: 'info',
    startMinute: minute,
    // A key is new only once.
    identity: 'first',
    nowMs,
    observed: 1,
    evidence: {},
    summary: `Key "${cutText(key, 80)}" sent for the first time on ${source}, at ${moment(minute)}.`,
  })
}

type Crowd = {
  readonly severity: Alert['severity']
  /** Tells the two notices of one hour apart. */
  readonly name: string
  readonly moreThan: number
  /** What may be behind it, as the end of the sentence. */
  readonly remark: string
}
const SEVERAL: Crowd = { severity: 'info', name: 'hour', moreThan: NEW_KEYS_AN_HOUR, remark: '' }
const CROWD: Crowd = {
  severity: 'warning',
  name: 'crowd',
  moreThan: CROWD_AN_HOUR,
  remark: ': somebody may be inventing key names so that no key stands out',
}

/** Of many new keys there is one notice an hour, for the whole source. */
function newKeysNotice({ source, minute, nowMs }: NewKey, count: number): Alert {
  const { severity, name, moreThan, remark } = count > CROWD_AN_HOUR ? CROWD : SEVERAL
  return noticeOf({
    source,
    signal: 'key.new',
    severity,
    startMinute: minute,
    identity: `${name} ${hourOfMs(nowMs)}`,
    nowMs,
    observed: count,
    evidence: { more_than_an_hour: moreThan },
    summary:
      `More than ${moreThan} keys sent for the first time on ${source} within an hour, ` +
      `the latest at ${moment(minute)}${remark}.`,
  })
}

function overflowNotice({ source, key, minute, nowMs, liveKeys }: Overflow): Alert {
  return noticeOf({
    source,
    key,
    signal: 'key.overflow',
    severity: 'warning',
    startMinute: minute,
    identity: `hour ${hourOfMs(nowMs)}`,
    nowMs,
    observed: liveKeys + 1,
    expected: liveKeys,
    evidence: { live_keys: liveKeys },
    summary:
      `More than ${number(liveKeys)} keys are live on ${source}, since ${moment(minute)}; ` +
      'the events of further keys are stored but not judged.',
  })
}

function accountNotice(event: EngineEvent): Alert {
  const status = cutText(event.accountStatus ?? 'not stated', 100)
  const minute = minuteOf(event.timestamp)
  return noticeOf({
    source: event.source,
    signal: 'account.status_changed',
    severity: 'critical',
    startMinute: minute,
    identity: `${event.timestamp} ${status}`,
    nowMs: event.receivedAtMs,
    observed: 1,
    evidence: { status },
    summary: `SendGrid changed the state of the account behind ${event.source}: "${status}", at ${moment(minute)}.`,
  })
}

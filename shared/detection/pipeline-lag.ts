import { EVERY, type Alert } from '#shared/domain/alert.ts'
import { number, moment, span } from './alert-text.ts'
import { isoOfSeconds, minuteOf } from './clock.ts'
import { incidentIdOf } from './incident-alerts.ts'
import { noticeOf, resolved } from './notice.ts'

/** How far one partition of the event log is handled. */
export type LagSeen = {
  /** When the log took the oldest record that is not handled yet, milliseconds; undefined: there is none. */
  readonly oldestMs: number | undefined
  /** Records that are not handled yet, as far as is known. */
  readonly records: number
  readonly nowMs: number
}

/** Watches one partition of the event log for records that lie unhandled. */
export type LagWatch = {
  /** Alerts that were open before a restart, of whatever partition. */
  readonly load: (alerts: readonly Alert[]) => void
  /** What changed: an alert that opens, or the ends of those that are over. */
  readonly judge: (seen: LagSeen) => Alert[]
}

/** It is over below this share of the limit, so that a delay around the limit is one alert. */
const OVER_SHARE = 0.5

/** `warningSeconds`: a record that lies for longer is worth a warning. */
export function createLagWatch(given: {
  readonly partition: number
  readonly warningSeconds: number
}): LagWatch {
  const { partition, warningSeconds } = given
  const open = new Map<string, Alert>()
  return {
    load: (alerts) => {
      for (const alert of alerts) {
        const isOwn = alert.signal === 'pipeline.lag' && alert.evidence['partition'] === partition
        if (isOwn && alert.status === 'open' && !open.has(alert.alert_id)) open.set(alert.alert_id, alert)
      }
    },
    judge: (seen) => {
      const { oldestMs, nowMs } = seen
      const lagSeconds = oldestMs === undefined ? 0 : (nowMs - oldestMs) / 1000
      if (oldestMs !== undefined && lagSeconds >= warningSeconds && open.size === 0) {
        const alert = lagAlert({ ...seen, oldestMs }, given)
        open.set(alert.alert_id, alert)
        return [alert]
      }
      if (lagSeconds >= warningSeconds * OVER_SHARE) return []
      const over = [...open.values()].map((alert) => endOf(alert, partition, nowMs))
      open.clear()
      return over
    },
  }
}

/** One episode is named after the minute of the record that it began with, whoever finds it. */
function lagAlert(
  { oldestMs, records, nowMs }: LagSeen & { readonly oldestMs: number },
  { partition, warningSeconds }: { readonly partition: number; readonly warningSeconds: number },
): Alert {
  const startMinute = minuteOf(oldestMs / 1000)
  const lagSeconds = Math.floor((nowMs - oldestMs) / 1000)
  const identity = `partition ${partition} ${startMinute}`
  const notice = noticeOf({
    source: EVERY,
    signal: 'pipeline.lag',
    severity: 'warning',
    startMinute,
    identity,
    nowMs,
    observed: lagSeconds,
    evidence: {
      partition,
      oldest_record_at: isoOfSeconds(Math.floor(oldestMs / 1000)),
      lag_seconds: lagSeconds,
      records_waiting: records,
      warning_seconds: warningSeconds,
    },
    summary:
      `Alerts come late: the detector is ${lagText(lagSeconds)} behind on partition ${partition} of the event log, where ` +
      `the oldest event that it has not handled lies since ${moment(startMinute)}` +
      `${records > 1 ? `, with ${number(records - 1)} behind it` : ''}. No event is lost.`,
  })
  return {
    ...notice,
    expected_high: warningSeconds,
    // Several partitions may lag at once; each is an incident of its own.
    incident_id: incidentIdOf(notice, identity),
  }
}

function lagText(seconds: number): string {
  return seconds < 120 ? `${number(seconds)} seconds` : span(Math.floor(seconds / 60))
}

function endOf(alert: Alert, partition: number, nowMs: number): Alert {
  return resolved(alert, {
    endedAt: new Date(nowMs).toISOString(),
    nowMs,
    summary: `Over: the detector has caught up on partition ${partition} of the event log; alerts come in time again.`,
  })
}

import type { Alert } from '#shared/domain/alert.ts'
import { hourOfMinute, minuteOf, secondsOfIso } from './clock.ts'
import type { StoredKey } from './engine-input.ts'
import type { Episode } from './episode.ts'
import {
  addToHour,
  HISTORY_MINUTES,
  messagesIn,
  moveTo,
  setHourShape,
  setTrainedBetween,
} from './volume/key-history.ts'
import { createKeyWatch, type KeyWatch } from './key-watch.ts'

/** Makes a key's state again from what the warehouse holds: what it would be had the engine never stopped. */
export function restoreKey(stored: StoredKey): KeyWatch {
  const watch = createKeyWatch(stored.source, stored.key)
  const { history } = watch
  const newest = stored.minutes.reduce((latest, { minute }) => Math.max(latest, minute), stored.minute)
  moveTo(history, newest)
  if (stored.firstSeen !== undefined) history.firstHour = hourOfMinute(minuteOf(stored.firstSeen))
  for (const { hour, messages } of stored.hours) addToHour(history, hour, messages)
  for (const shape of stored.shapes) if (shape.hour <= history.settledHour) setHourShape(history, shape)
  for (const { minute, messages } of stored.minutes) {
    if (minute <= newest - HISTORY_MINUTES) continue
    const cell = minute % HISTORY_MINUTES
    history.minutes[cell] = (history.minutes[cell] ?? 0) + messages
  }
  const inOrder = stored.alerts.toSorted((a, b) => secondsOfIso(a.started_at) - secondsOfIso(b.started_at))
  for (const alert of inOrder) restoreAlert(watch, alert)
  return watch
}

function restoreAlert(watch: KeyWatch, alert: Alert): void {
  if (alert.signal !== 'volume.spike' && alert.signal !== 'key.unattributed') return
  const startMinute = minuteOf(secondsOfIso(alert.started_at))
  const head = watch.history.headMinute
  const endMinute = alert.ended_at === null ? head + 1 : minuteOf(secondsOfIso(alert.ended_at))
  if (alert.evidence['trains_baseline'] !== true) {
    setTrainedBetween(watch.history, { startMinute, endMinute: endMinute - 1 }, false)
  }
  if (watch.incident === undefined || endMinute >= watch.incident.lastMinute) {
    watch.incident = { id: alert.incident_id, lastMinute: endMinute - 1 }
  }
  if (alert.status === 'open') {
    const episode = restoredEpisode(watch, alert, startMinute)
    if (alert.signal === 'volume.spike') watch.spike = episode
    else watch.unattributed = episode
  } else if (alert.signal === 'volume.spike') {
    watch.judgedFrom = Math.max(watch.judgedFrom, endMinute)
  } else {
    watch.unattributedJudgedFrom = Math.max(watch.unattributedJudgedFrom, endMinute)
  }
}

function restoredEpisode(watch: KeyWatch, alert: Alert, startMinute: number): Episode {
  const head = watch.history.headMinute
  const announced = alert.evidence['messages']
  const inRing = messagesIn(watch.history, {
    endMinute: head,
    length: Math.max(1, head - startMinute + 1),
    fromMinute: startMinute,
  })
  const scaleMinutes = Math.max(1, Math.round(alert.window_seconds / 60))
  return {
    alert,
    startMinute,
    scaleMinutes,
    messages: Math.max(inRing, typeof announced === 'number' ? announced : 0),
    expectedPerMinute: alert.expected / scaleMinutes,
    trains: alert.evidence['trains_baseline'] === true,
    lastBusyMinute: Math.max(startMinute, head - HISTORY_MINUTES + 1),
    checkedMinute: startMinute - 1,
  }
}

import { defaultDetectionSettings } from '#shared/detection/detection-settings.ts'
import type { Evidence, EvidenceSink } from '#shared/detection/evidence.ts'
import {
  advanceVolume,
  countMessage,
  type VolumeGiven,
  type VolumeState,
} from '#shared/detection/volume/volume-watch.ts'
import type { VolumeHabit } from './volume-habits.ts'

/** A sink that keeps every report that is worth more than the ones before it. */
export function keepingSink(): EvidenceSink & { readonly reports: Evidence[] } {
  const reports: Evidence[] = []
  const best = new Map<string, number>()
  return {
    reports,
    wants: (signal, points) => points > (best.get(signal) ?? 0),
    report: (evidence) => {
      best.set(evidence.signal, evidence.points)
      reports.push(evidence)
    },
  }
}

export const judgedGiven: VolumeGiven = {
  settings: defaultDetectionSettings,
  nowMs: 0,
  judged: true,
  familiar: true,
}

/** Gives a key's traffic minute by minute, spread evenly within each, with the watermark two minutes behind. */
export function runHabit(
  state: VolumeState,
  habit: VolumeHabit,
  run: {
    readonly fromMinute: number
    readonly toMinute: number
    readonly sink: EvidenceSink
    readonly familiar?: boolean
  },
): void {
  const given = { ...judgedGiven, familiar: run.familiar ?? true }
  for (let minute = run.fromMinute; minute < run.toMinute; minute += 1) {
    const count = habit(minute)
    for (let index = 0; index < count; index += 1) {
      const timestamp = minute * 60 + Math.floor((60 * index) / count)
      countMessage(state, { timestamp }, given, run.sink)
    }
    if (count > 0 || minute % 60 === 0) advanceVolume(state, minute - 2, given, run.sink)
  }
}

import { UNATTRIBUTED, type Alert } from '#shared/domain/alert.ts'
import { LEARNING_DAYS, type Baseline } from './baseline.ts'
import { isoOfMinute } from '../clock.ts'

/** For the summary: that the key's history is short; empty otherwise. */
export function learningRemark(baseline: Baseline): string {
  return baseline.activeDays >= LEARNING_DAYS
    ? ''
    : `Still learning: this key has ${baseline.activeDays} days of history.`
}

/** For the summary: how far the key's name is to be trusted. */
export function claimRemark(key: string, attribution: string): string {
  if (key === UNATTRIBUTED) return 'No attribution rule matched, so the key is not known.'
  return attribution === '' ? '' : `The key is claimed by ${attribution}, not confirmed.`
}

/** The numbers that the judgement rests on. */
export function baselineEvidence(baseline: Baseline): Alert['evidence'] {
  return {
    still_learning: baseline.activeDays < LEARNING_DAYS,
    baseline: {
      hour: isoOfMinute(baseline.hour * 60),
      expected_per_hour: Math.round(baseline.mean * 100) / 100,
      busiest_usual_hour: Math.round(baseline.busyHour * 100) / 100,
      largest_windows_before: baseline.peaks.map(Math.round),
      window_minutes: [1, 10, 60],
      dispersions: baseline.dispersions.map((dispersion) => Math.round(dispersion * 1000) / 1000),
      active_days: baseline.activeDays,
      works_in_bursts: baseline.burstKey,
    },
  }
}

import { span } from '../alert-text.ts'
import { hourOfMinute, hourOfWeek, HOURS_PER_WEEK, isoOfMinute } from '../clock.ts'
import type { DetectionSettings } from '../detection-settings.ts'
import type { Evidence } from '../evidence.ts'
import { isYoung, LIMIT, SLEEP_MEAN, slotOf, windowOf } from './hour-limits.ts'
import { sendSizes } from './sends.ts'
import { habits, rounded } from './spike-evidence.ts'
import { expectedInHour } from './volume-profile.ts'
import { inHour, scales, type VolumeState } from './volume-state.ts'

/**
 * What the engine holds to be usual for this key in the head's hour, and why: for `keywatch explain`. Give it a copy
 * (decode what was encoded) where the state is still in use by somebody else.
 */
export function describeVolume(state: VolumeState, settings: DetectionSettings): Evidence['details'] {
  if (state.headMinute === -1) return { messages_seen: false }
  const hour = hourOfMinute(state.headMinute)
  const at = slotOf(state, hour, settings)
  const week = Array.from({ length: HOURS_PER_WEEK }, (_, cell) => {
    const offset = (cell - hourOfWeek(hour) + HOURS_PER_WEEK) % HOURS_PER_WEEK
    return rounded(expectedInHour(state, hour + offset))
  })
  return {
    at: isoOfMinute(state.headMinute),
    sending_since: isoOfMinute(Math.max(0, state.firstMinute)),
    longest_silence_hours: state.longestGapHours,
    judged_by_burst_rule_only: isYoung(state),
    sleeping_hour: (state.slots[at + SLEEP_MEAN] ?? 0) > 0,
    messages_this_hour: inHour(state, hour),
    ...habits(state),
    windows: scales.map((minutes, index) => {
      const window = windowOf(
        state,
        at,
        index === 0 ? 0 : index === 1 ? 1 : index === 2 ? 2 : index === 3 ? 3 : 4,
      )
      const limit = state.slots[at + LIMIT + index] ?? Infinity
      return {
        window: span(minutes),
        expected: rounded(window.mean),
        dispersion: rounded(window.dispersion),
        largest_before_at_this_time: rounded(window.near),
        largest_before: rounded(window.any),
        looked_at_from: Number.isFinite(limit) ? limit : null,
      }
    }),
    sends_before: sendSizes(state, state.headMinute),
    expected_by_hour_of_week: week,
  }
}

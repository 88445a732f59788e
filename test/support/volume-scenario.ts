import { createVolume, type VolumeState } from '#shared/detection/volume/volume-watch.ts'
import { FIRST_MONDAY, type VolumeHabit } from './volume-habits.ts'
import { keepingSink, runHabit } from './volume-run.ts'

/** A message, or none, for each whole and the chance of another for the rest. */
export function scaled(count: number, factor: number, random: () => number): number {
  const messages = count * factor
  return Math.floor(messages) + (random() < messages % 1 ? 1 : 0)
}

/**
 * Lets a key follow its habit for some weeks and then something else; answers what was reported of the latter, and the
 * most points of a signal. Minutes are counted from the change, which is on a Monday at midnight.
 */
export function runScenario(options: {
  readonly habit: VolumeHabit
  readonly weeks: number
  readonly after: (usual: number, minute: number) => number
  readonly days: number
  readonly familiar?: boolean
}): {
  readonly state: VolumeState
  readonly start: number
  readonly sink: ReturnType<typeof keepingSink>
  readonly best: (signal: string) => number
} {
  const state = createVolume()
  const start = FIRST_MONDAY + options.weeks * 7 * 1440
  runHabit(state, options.habit, { fromMinute: FIRST_MONDAY, toMinute: start, sink: keepingSink() })
  const sink = keepingSink()
  runHabit(state, (minute) => options.after(options.habit(minute), minute - start), {
    fromMinute: start,
    toMinute: start + options.days * 1440,
    sink,
    familiar: options.familiar ?? true,
  })
  const best = (signal: string) =>
    sink.reports
      .filter((report) => report.signal === signal)
      .reduce((most, { points }) => Math.max(most, points), 0)
  return { state, start, sink, best }
}

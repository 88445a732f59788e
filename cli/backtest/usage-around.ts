import { EVERY } from '#shared/domain/alert.ts'
import type { Incident } from './incidents.ts'
import type { KeyUsage } from './key-usage.ts'

/** What is drawn of an incident: messages per step, and what was usual at that time before. */
export type UsageAround = {
  readonly stepSeconds: number
  readonly points: readonly UsagePoint[]
  /** What `usual` is the range of. */
  readonly usualOf: 'weeks' | 'days' | 'nothing'
}
export type UsagePoint = {
  /** Start of the step, seconds since the epoch. */
  readonly seconds: number
  readonly messages: number
  /** The least and the most at the same time in earlier weeks or days. */
  readonly usual: { readonly low: number; readonly high: number } | undefined
}

const CELL_SECONDS = 600
const HOUR_SECONDS = 3600
const DAY_SECONDS = 86_400
/** A short incident is drawn by ten minutes, a longer one by the hour. */
const SHORT_SECONDS = 8 * HOUR_SECONDS
const WEEKS = 4
const DAYS = 7
/** Fewer earlier weeks than this are no range; then days are taken. */
const SAMPLES_MIN = 2
const POINTS_MAX = 400

/** The messages of the incident's keys around it: a day before it and some hours after, by the hour or ten minutes. */
export function usageAround(
  incident: Pick<Incident, 'source' | 'key' | 'openedMs' | 'endedMs' | 'changes'>,
  keys: readonly KeyUsage[],
  lastSeconds: number,
): UsageAround {
  const startedMs = Math.min(
    incident.openedMs,
    ...incident.changes.map(({ started_at }) => Date.parse(started_at)),
  )
  const start = startedMs / 1000
  const end = Math.min((incident.endedMs ?? lastSeconds * 1000) / 1000, lastSeconds)
  const isShort = end - start <= SHORT_SECONDS
  const stepSeconds = isShort ? CELL_SECONDS : HOUR_SECONDS
  const margin = isShort ? 12 * HOUR_SECONDS : 2 * DAY_SECONDS
  const from = Math.floor((start - margin) / stepSeconds) * stepSeconds
  const to = Math.min(end + margin / 2, lastSeconds, from + POINTS_MAX * stepSeconds)

  const own = keys.filter((usage) => isOf(incident, usage))
  const firstSeconds = own.reduce((first, { firstMs }) => Math.min(first, firstMs / 1000), Infinity)
  const messagesAt = (seconds: number) => messagesIn(own, seconds, stepSeconds)
  const weekly = from - SAMPLES_MIN * 7 * DAY_SECONDS >= firstSeconds
  const daily = from - SAMPLES_MIN * DAY_SECONDS >= firstSeconds
  const usualOf = weekly ? 'weeks' : daily ? 'days' : 'nothing'
  const points: UsagePoint[] = []
  for (let seconds = from; seconds < to; seconds += stepSeconds) {
    const back =
      usualOf === 'weeks' ? { every: 7 * DAY_SECONDS, times: WEEKS } : { every: DAY_SECONDS, times: DAYS }
    const earlier = Array.from({ length: back.times }, (_, index) => seconds - (index + 1) * back.every)
      .filter((time) => time >= firstSeconds)
      .map(messagesAt)
    const usual =
      usualOf === 'nothing' || earlier.length === 0
        ? undefined
        : { low: Math.min(...earlier), high: Math.max(...earlier) }
    points.push({ seconds, messages: messagesAt(seconds), usual })
  }
  return { stepSeconds, points, usualOf }
}

function isOf({ source, key }: Pick<Incident, 'source' | 'key'>, usage: KeyUsage): boolean {
  return (source === EVERY || source === usage.source) && (key === EVERY || key === usage.key)
}

function messagesIn(keys: readonly KeyUsage[], fromSeconds: number, stepSeconds: number): number {
  let messages = 0
  const first = Math.floor(fromSeconds / CELL_SECONDS)
  for (const { tenMinutes } of keys) {
    for (let cell = first; cell < first + stepSeconds / CELL_SECONDS; cell++)
      messages += tenMinutes?.get(cell) ?? 0
  }
  return messages
}

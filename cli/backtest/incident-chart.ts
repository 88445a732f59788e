import type { UsageAround, UsagePoint } from './usage-around.ts'

/** Times that the chart marks, seconds since the epoch. */
export type ChartMarks = {
  readonly startSeconds: number
  readonly alarmSeconds: number
  readonly endSeconds: number
}

const WIDTH = 860
const HEIGHT = 190
const LEFT = 52
const RIGHT = 12
const TOP = 14
const BOTTOM = 26
const TICKS = 4

/** An incident as inline SVG: messages per step as columns over the range of what was usual. All of it is numbers. */
export function incidentChart({ points, stepSeconds }: UsageAround, marks: ChartMarks): string {
  const [first] = points
  if (first === undefined) return ''
  const from = first.seconds
  const to = from + points.length * stepSeconds
  const top = niceTop(
    Math.max(1, ...points.map(({ messages, usual }) => Math.max(messages, usual?.high ?? 0))),
  )
  const x = (seconds: number) =>
    round(LEFT + ((Math.min(Math.max(seconds, from), to) - from) / (to - from)) * (WIDTH - LEFT - RIGHT))
  const y = (messages: number) => round(HEIGHT - BOTTOM - (messages / top) * (HEIGHT - TOP - BOTTOM))

  const lines = Array.from({ length: TICKS + 1 }, (_, tick) => {
    const messages = (top / TICKS) * tick
    return (
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(messages)}" y2="${y(messages)}"/>` +
      `<text class="axis" x="${LEFT - 6}" y="${y(messages) + 4}" text-anchor="end">${label(messages)}</text>`
    )
  })
  const columns = points.map(({ seconds, messages }) => {
    const width = Math.max(1, x(seconds + stepSeconds) - x(seconds) - 1)
    const during = seconds + stepSeconds > marks.startSeconds && seconds < marks.endSeconds
    return (
      `<rect class="${during ? 'during' : 'column'}" x="${x(seconds)}" y="${y(messages)}" width="${round(width)}" ` +
      `height="${round(y(0) - y(messages))}"><title>${utc(seconds)}: ${messages}</title></rect>`
    )
  })
  const alarm = x(marks.alarmSeconds)
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="messages over time">${lines.join('')}` +
    `${columns.join('')}${band(points, stepSeconds, x, y)}` +
    `<line class="alarm" x1="${alarm}" x2="${alarm}" y1="${TOP - 8}" y2="${HEIGHT - BOTTOM}"/>` +
    `${timeAxis(from, to, x)}</svg>`
  )
}

type Scale = (value: number) => number

function band(points: readonly UsagePoint[], stepSeconds: number, x: Scale, y: Scale): string {
  return points
    .map(({ seconds, usual }) => {
      if (usual === undefined) return ''
      // A range of nothing at all is still drawn as a line, to say that none is usual.
      const height = Math.max(1.5, y(usual.low) - y(usual.high))
      return (
        `<rect class="usual" x="${x(seconds)}" y="${round(y(usual.low) - height)}" ` +
        `width="${round(x(seconds + stepSeconds) - x(seconds))}" height="${round(height)}"/>`
      )
    })
    .join('')
}

function timeAxis(from: number, to: number, x: Scale): string {
  const steps = [3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400]
  const step = steps.find((seconds) => (to - from) / seconds <= 9) ?? 7 * 86_400
  let axis = ''
  for (let seconds = Math.ceil(from / step) * step; seconds <= to; seconds += step) {
    axis += `<text class="axis" x="${x(seconds)}" y="${HEIGHT - 8}" text-anchor="middle">${utc(seconds).slice(5)}</text>`
  }
  return axis
}

/** 1, 2 or 5 times a power of ten, at least as large. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power
}

function label(messages: number): string {
  return Number(messages.toFixed(2)).toLocaleString('en')
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

import { z } from 'zod'
import { alertSchema, severities, signals } from '#shared/domain/alert.ts'
import { decodeContent, encodeContent } from './content/content-codec.ts'
import { restoreCalibration } from './key-calibration.ts'
import type { KeyState } from './key-state.ts'
import { decodeOutcomes, encodeOutcomes } from './outcomes/outcome-codec.ts'
import { decodeVolume, encodeVolume } from './volume/volume-watch.ts'

/** Raised whenever a state that was saved before would be read wrongly; such a state is built anew from the events. */
export const KEY_STATE_VERSION = 1

const evidenceSchema = z.object({
  signal: z.enum(signals),
  points: z.number(),
  startSeconds: z.number(),
  windowSeconds: z.number(),
  observed: z.number(),
  expected: z.number(),
  expectedLow: z.number(),
  expectedHigh: z.number(),
  messages: z.number(),
  domains: z.number().optional(),
  holdMinutes: z.number(),
  text: z.string(),
  details: z.record(z.string(), z.json()),
})

const stateSchema = z.object({
  v: z.literal(KEY_STATE_VERSION),
  volume: z.unknown(),
  content: z.unknown(),
  outcomes: z.unknown(),
  calibration: z.object({
    day: z.number(),
    largestToday: z.number(),
    maxima: z.array(z.number()),
    disturbed: z.boolean(),
  }),
  evidence: z.array(
    z.object({
      latest: evidenceSchema,
      strongestMinute: z.number(),
      startSeconds: z.number(),
      lastMinute: z.number(),
      alert: alertSchema.optional(),
    }),
  ),
  ended: z.array(z.tuple([z.enum(signals), z.number()])),
  incident: z
    .object({
      id: z.string(),
      startSeconds: z.number(),
      lastMinute: z.number(),
      severity: z.enum(severities).optional(),
    })
    .optional(),
  firstSeconds: z.number(),
  headSeconds: z.number(),
  clockMinute: z.number(),
  advancedMinute: z.number(),
  lastArrivalMs: z.number(),
  attribution: z.string(),
  woke: z.object({ startSeconds: z.number(), quietDays: z.number(), messages: z.number() }).optional(),
  acceptedFrom: z.number(),
})

/** Everything about a key as one text; what is decoded from it behaves exactly alike. */
export function encodeKeyState(state: KeyState): string {
  const { calibration } = state
  const saved: z.input<typeof stateSchema> = {
    v: KEY_STATE_VERSION,
    volume: encodeVolume(state.volume),
    content: encodeContent(state.content),
    outcomes: encodeOutcomes(state.outcomes),
    calibration: {
      day: calibration.day,
      largestToday: calibration.largestToday,
      maxima: calibration.maxima,
      disturbed: calibration.disturbed,
    },
    evidence: [...state.evidence.values()],
    ended: [...state.ended],
    incident: state.incident,
    firstSeconds: state.firstSeconds,
    headSeconds: state.headSeconds,
    clockMinute: state.clockMinute,
    advancedMinute: state.advancedMinute,
    lastArrivalMs: state.lastArrivalMs,
    attribution: state.attribution,
    woke: state.woke,
    acceptedFrom: state.acceptedFrom,
  }
  return JSON.stringify(saved)
}

/** Throws ZodError or SyntaxError for anything that this version of the engine did not save. */
export function decodeKeyState(source: string, key: string, text: string): KeyState {
  const saved = stateSchema.parse(JSON.parse(text))
  return {
    source,
    key,
    volume: decodeVolume(saved.volume),
    content: decodeContent(saved.content),
    outcomes: decodeOutcomes(saved.outcomes),
    calibration: restoreCalibration(saved.calibration),
    evidence: new Map(
      saved.evidence.map(({ latest: { domains, ...latest }, alert, ...rest }) => [
        latest.signal,
        { ...rest, latest: domains === undefined ? latest : { ...latest, domains }, alert },
      ]),
    ),
    ended: new Map(saved.ended),
    incident:
      saved.incident === undefined ? undefined : { ...saved.incident, severity: saved.incident.severity },
    firstSeconds: saved.firstSeconds,
    headSeconds: saved.headSeconds,
    clockMinute: saved.clockMinute,
    advancedMinute: saved.advancedMinute,
    lastArrivalMs: saved.lastArrivalMs,
    attribution: saved.attribution,
    woke: saved.woke,
    acceptedFrom: saved.acceptedFrom,
    dirty: false,
  }
}

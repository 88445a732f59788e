import type { Alert, Severity, Signal } from '#shared/domain/alert.ts'
import { createContent, type ContentState } from './content/content-watch.ts'
import type { Evidence } from './evidence.ts'
import { createCalibration, type KeyCalibration } from './key-calibration.ts'
import { createOutcomes, type OutcomeState } from './outcomes/outcome-watch.ts'
import { createVolume, type VolumeState } from './volume/volume-watch.ts'

/** Evidence that holds at present. */
export type ActiveEvidence = {
  /** As last reported, with the most points it has had lately. */
  latest: Evidence
  /** When it had them. */
  strongestMinute: number
  readonly startSeconds: number
  lastMinute: number
  /** The alert it opened, as last announced. */
  alert: Alert | undefined
}

/** Everything that is held against one key at a time. */
export type Incident = {
  readonly id: string
  readonly startSeconds: number
  /** Minute of the latest evidence. */
  lastMinute: number
  /** Undefined until it is worth somebody's attention. */
  severity: Severity | undefined
}

/** Everything that is remembered about one key of one source. */
export type KeyState = {
  readonly source: string
  readonly key: string
  readonly volume: VolumeState
  readonly content: ContentState
  readonly outcomes: OutcomeState
  readonly calibration: KeyCalibration
  readonly evidence: Map<Signal, ActiveEvidence>
  /** The minute after which evidence of each signal was last over: what comes later is another episode. */
  readonly ended: Map<Signal, number>
  incident: Incident | undefined
  /** Event time of the first and of the latest message, seconds; −1 before the first. */
  firstSeconds: number
  headSeconds: number
  /** The minute of the arrival clock that the key has been told of, and that up to which its windows are closed. */
  clockMinute: number
  advancedMinute: number
  /** Arrival clock of the latest event, milliseconds. */
  lastArrivalMs: number
  /** The rule that named the key in the latest message. */
  attribution: string
  /** A key that woke: since when, after how many days, and what it sent since. */
  woke: { readonly startSeconds: number; readonly quietDays: number; messages: number } | undefined
  /** The time (seconds) from which a person accepted what it does, as far as it was taken over. */
  acceptedFrom: number
  /** Changed since it was last saved. */
  dirty: boolean
}

export function createKeyState(source: string, key: string): KeyState {
  return {
    source,
    key,
    volume: createVolume(),
    content: createContent(),
    outcomes: createOutcomes(),
    calibration: createCalibration(),
    evidence: new Map(),
    ended: new Map(),
    incident: undefined,
    firstSeconds: -1,
    headSeconds: -1,
    clockMinute: -1,
    advancedMinute: -1,
    lastArrivalMs: 0,
    attribution: '',
    woke: undefined,
    acceptedFrom: 0,
    dirty: false,
  }
}

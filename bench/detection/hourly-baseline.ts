import type { EngineEvent } from '#shared/detection/engine-input.ts'
import {
  chooseUnit,
  isMessage,
  undecidedUnit,
  type UnitChoice,
} from '#shared/detection/volume/volume-unit.ts'
import type { AlertChange } from '../../cli/backtest/incidents.ts'

/** A simple rule over a key's messages by the hour; the state is the rule's own, one for each key. */
export type HourlyRule<State> = {
  readonly name: string
  readonly createState: () => State
  /** Asked with each message of an hour that is not over: the count can only grow. */
  readonly isHigh: (state: State, messages: number) => boolean
  /** Asked once the hour is over, before it is learnt. */
  readonly isLow: (state: State, messages: number) => boolean
  readonly learn: (state: State, messages: number) => void
}

/** A system that is compared with the engine: the same events in, changes of alerts out. */
export type Baseline = {
  readonly name: string
  readonly feed: (event: EngineEvent) => void
  readonly finish: () => readonly AlertChange[]
}

type WatchedKey<State> = {
  readonly source: string
  readonly key: string
  readonly rule: State
  /** Messages of the hours that are not closed, by hour since the epoch. */
  readonly open: Map<number, number>
  alert: AlertChange | undefined
}

const HOUR_MS = 3_600_000
/** An hour is closed so long after its end: its last events are then in. */
const CLOSING_MS = 5 * 60_000

/**
 * Runs a rule over the messages of each key by the clock hour of event time, and opens an alert at `warning` with the
 * message that the rule finds too many, or at the end of an hour with too few. It ends with the first closed hour that
 * is neither; what lasts for several hours is one incident.
 */
export function createHourlyBaseline<State>(rule: HourlyRule<State>): Baseline {
  const changes: AlertChange[] = []
  const units = new Map<string, UnitChoice>()
  const sources = new Map<string, Map<string, WatchedKey<State>>>()
  let closedHour = -1

  const tell = (alert: AlertChange) => {
    changes.push(alert)
    return alert
  }
  const closeHour = (hour: number, nowMs: number) => {
    for (const keys of sources.values()) {
      for (const state of keys.values()) closeOf(rule, state, { hour, nowMs, tell })
    }
  }
  const advance = (nowMs: number) => {
    const lastOver = Math.floor((nowMs - CLOSING_MS) / HOUR_MS) - 1
    if (closedHour === -1) closedHour = lastOver
    while (closedHour < lastOver) {
      closedHour += 1
      closeHour(closedHour, (closedHour + 1) * HOUR_MS + CLOSING_MS)
    }
  }
  return {
    name: rule.name,
    feed: (event) => {
      advance(event.receivedAtMs)
      const unit = chooseUnit(units.get(event.source) ?? undecidedUnit, event.event)
      units.set(event.source, unit)
      const hour = Math.floor((event.timestamp * 1000) / HOUR_MS)
      if (!isMessage(unit.unit, event.event) || hour <= closedHour) return
      const state = keyOf(sources, event, rule.createState)
      const messages = (state.open.get(hour) ?? 0) + 1
      state.open.set(hour, messages)
      if (state.alert !== undefined || !rule.isHigh(state.rule, messages)) return
      state.alert = tell(opened(state, 'volume.spike', { hour, nowMs: event.receivedAtMs }))
    },
    finish: () => changes,
  }
}

function keyOf<State>(
  sources: Map<string, Map<string, WatchedKey<State>>>,
  { source, key }: EngineEvent,
  createState: () => State,
): WatchedKey<State> {
  let keys = sources.get(source)
  if (keys === undefined) sources.set(source, (keys = new Map()))
  let state = keys.get(key)
  if (state === undefined) {
    state = { source, key, rule: createState(), open: new Map(), alert: undefined }
    keys.set(key, state)
  }
  return state
}

type Closing = {
  readonly hour: number
  readonly nowMs: number
  readonly tell: (alert: AlertChange) => AlertChange
}

function closeOf<State>(rule: HourlyRule<State>, state: WatchedKey<State>, closing: Closing): void {
  const { hour, nowMs, tell } = closing
  const messages = state.open.get(hour) ?? 0
  state.open.delete(hour)
  const isLow = rule.isLow(state.rule, messages)
  const isCalm = !isLow && !rule.isHigh(state.rule, messages)
  rule.learn(state.rule, messages)
  if (isLow && state.alert === undefined) state.alert = tell(opened(state, 'volume.drop', { hour, nowMs }))
  if (!isCalm || state.alert === undefined) return
  const endedAt = new Date(nowMs).toISOString()
  tell({ ...state.alert, status: 'resolved', changed_at: endedAt, ended_at: endedAt })
  state.alert = undefined
}

function opened(
  { source, key }: { readonly source: string; readonly key: string },
  signal: 'volume.spike' | 'volume.drop',
  { hour, nowMs }: { readonly hour: number; readonly nowMs: number },
): AlertChange {
  const id = JSON.stringify([source, key, signal, hour])
  return {
    alert_id: id,
    incident_id: id,
    source,
    key,
    signal,
    severity: 'warning',
    status: 'open',
    started_at: new Date(hour * HOUR_MS).toISOString(),
    changed_at: new Date(nowMs).toISOString(),
    ended_at: null,
  }
}

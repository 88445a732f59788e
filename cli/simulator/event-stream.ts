import { FOLLOW_UP_MAX_MS, planFollowUps, type Step } from './follow-ups.ts'
import { arrivalsOfHour, HOUR_MS } from './habit.ts'
import type { AttackName, KeyProfile } from './key-profile.ts'
import { createMessage, type Message } from './message.ts'
import { Random } from './random.ts'
import { renderEvent, type SendgridEvent } from './render-event.ts'
import type { SimulatorSource } from './sources.ts'

export type SimulatedEvent = {
  /** When it happens, milliseconds since the epoch; the event's own timestamp is the second it lies in. */
  readonly atMs: number
  readonly source: SimulatorSource
  /** The key that really sent it, which the event itself may hide. */
  readonly key: string
  /** Set on what an attacker sent with that key. */
  readonly attack: AttackName | undefined
  readonly event: SendgridEvent
}

export type StreamOptions = {
  readonly profiles: readonly KeyProfile[]
  readonly seed: number
  /** Multiplies the volume of every habit but an attack's. */
  readonly rate: number
  readonly fromMs: number
  /** Not included; Infinity goes on for ever. */
  readonly toMs: number
}

type Planned = {
  readonly atMs: number
  readonly message: Message
  readonly step: Step
  readonly place: number
}

/**
 * Every event of the fleet in [`fromMs`, `toMs`), in order of time, follow-ups of earlier messages included.
 *
 * The same seed gives the same events however a span is cut: [a, c) is [a, b) followed by [b, c). So a history
 * and the live traffic after it are one process. Memory is bounded by the open follow-ups, three days of them.
 */
export function* generateEvents(options: StreamOptions): Generator<SimulatedEvent, void, undefined> {
  const { fromMs, toMs, seed } = options
  /** Follow-ups by the hour in which they happen. */
  const hours = new Map<number, Planned[]>()
  const firstHour = Math.floor((fromMs - FOLLOW_UP_MAX_MS) / HOUR_MS)
  for (let hour = firstHour; hour * HOUR_MS < toMs; hour++) {
    for (const profile of options.profiles) planHour(hours, profile, hour, options)
    const due = hours.get(hour) ?? []
    hours.delete(hour)
    // The sort is stable and messages are planned in one order, so events of one instant keep theirs.
    due.sort((left, right) => left.atMs - right.atMs)
    for (const { atMs, message, step, place } of due) {
      if (atMs < fromMs) continue
      if (atMs >= toMs) return
      const random = new Random(
        seed,
        keyNumber(message.profile),
        6,
        message.arrival.block,
        message.arrival.index,
        place,
      )
      const event = renderEvent(message, step, Math.floor(atMs / 1000), random)
      const { source, name, attack } = message.profile
      yield { atMs, source, key: name, attack, event }
    }
  }
}

/** Plans the whole life of each message that one key sends within the hour; nothing before `fromMs` is kept. */
function planHour(hours: Map<number, Planned[]>, profile: KeyProfile, hour: number, options: StreamOptions) {
  const { seed, rate, fromMs } = options
  const number = keyNumber(profile)
  for (const arrival of arrivalsOfHour(profile.habit, hour, { seed, keyNumber: number, rate })) {
    const random = new Random(seed, number, 4, arrival.block, arrival.index)
    const steps = planFollowUps(profile, random)
    const last = Math.max(...steps.map(({ afterMs }) => afterMs))
    if (arrival.atMs + last < fromMs) continue
    const message = createMessage(profile, arrival, { seed, keyNumber: number, random })
    for (const [place, { afterMs, step }] of steps.entries()) {
      const atMs = Math.ceil(arrival.atMs + afterMs)
      if (atMs < fromMs) continue
      const eventHour = Math.floor(atMs / HOUR_MS)
      const planned = hours.get(eventHour)
      if (planned === undefined) hours.set(eventHour, [{ atMs, message, step, place }])
      else planned.push({ atMs, message, step, place })
    }
  }
}

/** Names a key's random streams, its thief's apart: FNV-1a, 32 bits (Fowler, Noll and Vo), of its name. */
function keyNumber(profile: KeyProfile): number {
  const name = profile.attack === undefined ? profile.name : `${profile.name} ${profile.attack}`
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index++)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

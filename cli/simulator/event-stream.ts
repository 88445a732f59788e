import { FOLLOW_UP_MAX_MS, planFollowUps, planTroubledFollowUps, type Step } from './follow-ups.ts'
import { arrivalsOfHour, HOUR_MS, type Arrival } from './habit.ts'
import { hashText } from './hash-text.ts'
import type { KeyProfile } from './key-profile.ts'
import { createMessage, type Message } from './message.ts'
import { Random } from './random.ts'
import { renderEvent, type SendgridEvent } from './render-event.ts'
import type { SimulatorSource } from './sources.ts'

export type SimulatedEvent<Source extends string = SimulatorSource> = {
  /** When it happens, milliseconds since the epoch; the event's own timestamp is the second it lies in. */
  readonly atMs: number
  readonly source: Source
  /** The key that really sent it, which the event itself may hide. */
  readonly key: string
  /** Set on what is there, or is what it is, because of a scenario: names it. */
  readonly scenario: string | undefined
  readonly event: SendgridEvent
}

export type StreamOptions<Source extends string = SimulatorSource> = {
  readonly profiles: readonly KeyProfile<Source>[]
  readonly seed: number
  /** Multiplies the volume of every habit but that of bursts and single runs. */
  readonly rate: number
  readonly fromMs: number
  /** Not included; Infinity goes on for ever. */
  readonly toMs: number
}

type Planned<Source extends string> = {
  readonly atMs: number
  readonly sender: Sender<Source>
  readonly message: Message
  readonly scenario: string | undefined
  readonly step: Step
  readonly place: number
}

/** A profile with the names of its random streams. */
type Sender<Source extends string> = {
  readonly profile: KeyProfile<Source>
  readonly keyNumber: number
  readonly audienceNumber: number
}

/**
 * Every event of the fleet in [`fromMs`, `toMs`), in order of time, follow-ups of earlier messages included.
 *
 * The same seed gives the same events however a span is cut: [a, c) is [a, b) followed by [b, c). So a history
 * and the live traffic after it are one process. Memory is bounded by the open follow-ups, three days of them.
 */
export function* generateEvents<Source extends string = SimulatorSource>(
  options: StreamOptions<Source>,
): Generator<SimulatedEvent<Source>, void, undefined> {
  const { fromMs, toMs, seed } = options
  /** Follow-ups by the hour in which they happen. */
  const hours = new Map<number, Planned<Source>[]>()
  const senders = options.profiles.map(senderOf)
  const firstHour = Math.floor((fromMs - FOLLOW_UP_MAX_MS) / HOUR_MS)
  for (let hour = firstHour; hour * HOUR_MS < toMs; hour++) {
    for (const sender of senders) planHour(hours, sender, hour, options)
    const due = hours.get(hour) ?? []
    hours.delete(hour)
    // The sort is stable and messages are planned in one order, so events of one instant keep theirs.
    due.sort((left, right) => left.atMs - right.atMs)
    for (const { atMs, sender, message, scenario, step, place } of due) {
      if (atMs < fromMs) continue
      if (atMs >= toMs) return
      const { block, index } = message.arrival
      const random = new Random(seed, sender.keyNumber, 6, block, index, place)
      const event = renderEvent(message, step, Math.floor(atMs / 1000), random)
      yield { atMs, source: sender.profile.source, key: sender.profile.name, scenario, event }
    }
  }
}

function senderOf<Source extends string>(profile: KeyProfile<Source>): Sender<Source> {
  const { name, scenario, part, audienceOf } = profile
  const keyNumber = hashText([name, scenario, part].filter((text) => text !== undefined).join(' '))
  return { profile, keyNumber, audienceNumber: audienceOf === undefined ? keyNumber : hashText(audienceOf) }
}

/** Plans the whole life of each message that one key sends within the hour; nothing before `fromMs` is kept. */
function planHour<Source extends string>(
  hours: Map<number, Planned<Source>[]>,
  sender: Sender<Source>,
  hour: number,
  options: StreamOptions<Source>,
) {
  const { seed, rate, fromMs } = options
  const { profile, keyNumber } = sender
  const { active, habit, volume } = profile
  if (active !== undefined && (hour * HOUR_MS >= active.toMs || (hour + 1) * HOUR_MS <= active.fromMs)) return
  for (const arrival of arrivalsOfHour(habit, hour, { seed, keyNumber, rate, volume })) {
    if (active !== undefined && (arrival.atMs < active.fromMs || arrival.atMs >= active.toMs)) continue
    const planned = planMessage(sender, arrival, { seed, fromMs })
    if (planned === undefined) continue
    const { message, scenario, steps } = planned
    for (const [place, { afterMs, step }] of steps.entries()) {
      const atMs = Math.ceil(arrival.atMs + afterMs)
      if (atMs < fromMs) continue
      const eventHour = Math.floor(atMs / HOUR_MS)
      const others = hours.get(eventHour)
      const event = { atMs, sender, message, scenario, step, place }
      if (others === undefined) hours.set(eventHour, [event])
      else others.push(event)
    }
  }
}

/** The message of an arrival and its life; undefined where that ended before `fromMs`. */
function planMessage(
  sender: Sender<string>,
  arrival: Arrival,
  { seed, fromMs }: { readonly seed: number; readonly fromMs: number },
) {
  const { profile, keyNumber, audienceNumber } = sender
  const { atMs, block, index } = arrival
  const random = new Random(seed, keyNumber, 4, block, index)
  const steps = planFollowUps(profile, random)
  const troubles = profile.troubles?.filter((trouble) => atMs >= trouble.fromMs && atMs < trouble.toMs) ?? []
  if (troubles.length === 0 && steps.every(({ afterMs }) => atMs + afterMs < fromMs)) return undefined
  const message = createMessage(profile, arrival, { seed, keyNumber, audienceNumber, random })
  if (troubles.length === 0) return { message, scenario: message.scenario, steps }
  const chance = new Random(seed, keyNumber, 8, block, index)
  const met = troubles.find(
    ({ recipientDomain, share }) =>
      (recipientDomain === undefined || message.email.endsWith(`@${recipientDomain}`)) &&
      chance.next() < share,
  )
  if (met === undefined) return { message, scenario: message.scenario, steps }
  return { message, scenario: met.scenario, steps: planTroubledFollowUps(profile, met, atMs, chance) }
}

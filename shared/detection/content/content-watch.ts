import { dayOf } from '../clock.ts'
import type { EngineEvent, EventFacts } from '../engine-input.ts'
import type { EvidenceSink } from '../evidence.ts'
import { hashText } from '../statistics/hash-text.ts'
import { audiencePoints } from './audience-evidence.ts'
import { countRecipient } from './audience-watch.ts'
import { createAudienceWatch, type AudienceWatch } from './audience-state.ts'
import { endDayOfAudience } from './audience-learning.ts'
import { countSender, createSenderWatch, type SenderWatch } from './sender-watch.ts'
import { ageMemory, endDay } from './value-memory.ts'

/** What a key sends and to whom: what it always did, and what is strange about the latest messages. */
export type ContentState = {
  readonly sender: SenderWatch
  readonly audience: AudienceWatch
  /** The day being counted (days since the epoch); −1 before the first message. */
  day: number
  /** Days with messages that have been learnt, and their messages. */
  activeDays: number
  messages: number
  messagesToday: number
  /** Days up to this one are not learnt: they touch an incident. */
  untrainedThrough: number
}

/** A key has shown its habits after so many days with traffic and so many messages. */
const MATURE_DAYS = 3
const MATURE_MESSAGES = 30
/** Beyond so many days the memory ages, so that a key may change its habits. */
const DAYS_MAX = 60

export function createContent(): ContentState {
  return {
    sender: createSenderWatch(),
    audience: createAudienceWatch(),
    day: -1,
    activeDays: 0,
    messages: 0,
    messagesToday: 0,
    untrainedThrough: -1,
  }
}

export function isMatureContent({ activeDays, messages }: ContentState): boolean {
  return activeDays >= MATURE_DAYS && messages >= MATURE_MESSAGES
}

/**
 * Counts one message. `judged` is false for an event that is too late to be judged. Answers whether everything about
 * it is what this key always sends.
 */
export function countContent(
  state: ContentState,
  event: EngineEvent,
  { facts, judged }: { readonly facts: EventFacts; readonly judged: boolean },
  sink: EvidenceSink,
): boolean {
  const day = dayOf(event.timestamp)
  if (day > state.day) moveToDay(state, day)
  state.messagesToday += 1
  const isJudged = judged && isMatureContent(state)
  const domainHash = hashOf(facts.recipientDomain)
  const { activeDays, messages } = state
  const strangeness = countSender(
    state.sender,
    { event, facts, domainHash, judged: isJudged, activeDays, messages },
    sink,
  )
  countRecipient(
    state.audience,
    {
      timestamp: event.timestamp,
      recipient: facts.recipient,
      domain: facts.recipientDomain,
      domainHash,
      judged: isJudged,
      activeDays,
    },
    sink,
  )
  return (
    isMatureContent(state) &&
    strangeness < FAMILIAR_SENDER &&
    audiencePoints(state.audience, activeDays) < FAMILIAR_AUDIENCE
  )
}

/** Up to here a message passes as what the key always sends, to whom it always does. */
const FAMILIAR_SENDER = 1.5
const FAMILIAR_AUDIENCE = 3

/** The day of the minute, and all before it, will not be learnt; unless `trained` says that they may. */
export function setContentTraining(state: ContentState, day: number, trained: boolean): void {
  state.untrainedThrough = trained
    ? Math.min(state.untrainedThrough, day - 1)
    : Math.max(state.untrainedThrough, day)
}

/** Whatever was sent today is usual from now on. */
export function acceptContent(state: ContentState): void {
  if (state.day === -1) return
  learnDay(state, true)
}

/** What was told is over: what comes next is judged afresh, and is as strange as it was. */
export function forgetSuspicion(state: ContentState): void {
  state.sender.episodes.fill(undefined)
  state.audience.mix.points = 0
  state.audience.stranger.points = 0
}

function moveToDay(state: ContentState, day: number): void {
  if (state.day !== -1) learnDay(state, state.day > state.untrainedThrough)
  state.day = day
}

function learnDay(state: ContentState, learn: boolean): void {
  const first = state.activeDays === 0
  for (const memory of state.sender.memories) endDay(memory, { day: state.day, learn, first })
  endDayOfAudience(state.audience, learn)
  if (learn) state.sender.episodes.fill(undefined)
  if (learn && state.messagesToday > 0) {
    state.activeDays += 1
    state.messages += state.messagesToday
  }
  state.messagesToday = 0
  if (state.activeDays < DAYS_MAX) return
  state.activeDays = Math.ceil(state.activeDays * 0.75)
  state.messages *= 0.75
  for (const memory of state.sender.memories) ageMemory(memory)
}

/** Domains recur, over all keys; each costs a pass over its letters. */
const domainHashes = new Map<string, number>()
const DOMAIN_HASHES_MAX = 50_000

function hashOf(domain: string): number {
  const known = domainHashes.get(domain)
  if (known !== undefined) return known
  if (domainHashes.size >= DOMAIN_HASHES_MAX) domainHashes.clear()
  const made = hashText(domain)
  domainHashes.set(domain, made)
  return made
}

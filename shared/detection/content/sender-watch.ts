import { cutText } from '#shared/domain/normalise-text.ts'
import { hashText } from '../statistics/hash-text.ts'
import { UNKNOWN_FINGERPRINT, type EngineEvent, type EventFacts } from '../engine-input.ts'
import { POINTS_MIN, type EvidenceSink } from '../evidence.ts'
import { number } from '../alert-text.ts'
import {
  countValue,
  isEstablished,
  createValueMemory,
  pointsOf,
  type ValueMemory,
  type ValueRecord,
} from './value-memory.ts'
import { countDistinct, type FewDistinct } from './few-distinct.ts'

/** What tells one sending program from another, in the order of the fields below. */
export const senderFields = ['fingerprint', 'senderHost', 'pool', 'template', 'categories'] as const
type SenderSignal = 'novelty.sender' | 'novelty.template' | 'novelty.category'

/** Fields that one signal speaks of. */
const SIGNALS: readonly { readonly signal: SenderSignal; readonly fields: readonly number[] }[] = [
  { signal: 'novelty.sender', fields: [0, 1, 2] },
  { signal: 'novelty.template', fields: [3] },
  { signal: 'novelty.category', fields: [4] },
]
/** As evidence calls them. */
export const evidenceNames: readonly string[] = ['fingerprint', 'sender_host', 'pool', 'template', 'category']
const FIELD_NAMES: readonly string[] = ['fields', 'sending host', 'IP pool', 'template', 'categories']

/** Messages of an unfamiliar kind since the first of them. */
export type SenderEpisode = {
  /** Points of the strangest message. */
  points: number
  messages: number
  firstSeconds: number
  lastSeconds: number
  /** Places in `senderFields` that were new, and their values. */
  values: [field: number, value: string][]
  readonly domains: FewDistinct
}

export type SenderWatch = {
  readonly memories: readonly ValueMemory[]
  /** One for each signal. */
  readonly episodes: (SenderEpisode | undefined)[]
}

export type SenderGiven = {
  readonly event: EngineEvent
  readonly facts: EventFacts
  readonly domainHash: number
  /** Whether the key has shown its habits, and this event is recent enough to be judged. */
  readonly judged: boolean
  readonly activeDays: number
  readonly messages: number
}

/** After so long without another one, what was unfamiliar starts anew. */
const EPISODE_SECONDS = 24 * 3600
/** A sender is judged over hours: a patient thief sends a few messages in each. */
const HOLD_MINUTES = 180
/** Further fields that are new together with the strangest one rest on the same change: they count half. */
const FURTHER_FIELDS = 0.5
/** Other fields from the same host and pool are what a deployment brings. */
const SAME_HOST = 0.8
const HOST = 1
/** One odd message may be somebody's test; from the fifth on it is a way of sending. */
const BY_MESSAGES = [0, 0.5, 0.65, 0.8, 0.9, 1] as const

export function createSenderWatch(): SenderWatch {
  return {
    memories: senderFields.map(() => createValueMemory()),
    episodes: SIGNALS.map(() => undefined),
  }
}

/** Names are the sender's choice: what is kept of a long one is its beginning and a hash. */
const VALUE_MAX = 96

function bounded(value: string): string {
  if (value.length <= VALUE_MAX) return value
  return `${cutText(value, VALUE_MAX)}…${hashText(value).toString(16)}`
}

const found: ValueRecord[] = []

/** Counts one message; answers how strange its sender is, for whoever wants to know whether it is familiar. */
export function countSender(watch: SenderWatch, given: SenderGiven, sink: EvidenceSink): number {
  let isKnown = true
  for (const [index, field] of senderFields.entries()) {
    const memory = watch.memories[index]
    if (memory === undefined) continue
    const record = countValue(memory, bounded(given.facts[field]))
    found[index] = record
    if (record.days * 10 < given.activeDays || !isEstablished(record)) isKnown = false
  }
  if (isKnown || !given.judged) return 0
  let total = 0
  for (const [index, { signal, fields }] of SIGNALS.entries()) {
    const points = pointsOfFields(watch, fields, given)
    if (points < POINTS_MIN) continue
    total = Math.max(total, points)
    const episode = growEpisode(watch, index, { points, fields, given })
    if (episode !== undefined) reportEpisode(signal, episode, sink)
  }
  return total
}

function pointsOfFields(watch: SenderWatch, fields: readonly number[], given: SenderGiven): number {
  let strongest = 0
  let sum = 0
  for (const index of fields) {
    const memory = watch.memories[index]
    const record = found[index]
    // Events stored before fingerprints were made have none, and mean nothing.
    if (memory === undefined || record === undefined || record.value === UNKNOWN_FINGERPRINT) continue
    const points = pointsOf(memory, record, given)
    strongest = Math.max(strongest, points)
    sum += points
  }
  const points = strongest + FURTHER_FIELDS * (sum - strongest)
  const isSameHost = fields.includes(HOST) && strongest === sum && isKnownHost()
  return isSameHost ? SAME_HOST * points : points
}

function isKnownHost(): boolean {
  const host = found[HOST]
  return host !== undefined && isEstablished(host)
}

/** A message belongs to an episode when it is about as strange as the strangest one. */
const SAME_KIND_SHARE = 0.6

function growEpisode(
  watch: SenderWatch,
  index: number,
  { points, fields, given }: { points: number; fields: readonly number[]; given: SenderGiven },
): SenderEpisode | undefined {
  const { timestamp } = given.event
  let episode = watch.episodes[index]
  if (episode === undefined || timestamp - episode.lastSeconds > EPISODE_SECONDS) {
    episode = {
      points: 0,
      messages: 0,
      firstSeconds: timestamp,
      lastSeconds: timestamp,
      values: [],
      domains: [],
    }
    watch.episodes[index] = episode
  }
  if (points < SAME_KIND_SHARE * episode.points) return undefined
  if (points > episode.points) {
    episode.points = points
    episode.values = fields.flatMap((field): [number, string][] => {
      const record = found[field]
      return record !== undefined && !isEstablished(record) ? [[field, record.value]] : []
    })
  }
  episode.messages += 1
  episode.firstSeconds = Math.min(episode.firstSeconds, timestamp)
  episode.lastSeconds = Math.max(episode.lastSeconds, timestamp)
  countDistinct(episode.domains, given.domainHash)
  return episode
}

function reportEpisode(signal: SenderSignal, episode: SenderEpisode, sink: EvidenceSink): void {
  const share = BY_MESSAGES[Math.min(episode.messages, BY_MESSAGES.length - 1)] ?? 1
  const points = episode.points * share
  if (!sink.wants(signal, points)) return
  const changed = episode.values.map(
    ([field, value]) => `${FIELD_NAMES[field]} ${shown(field, value)} (never before)`,
  )
  const what = changed.length === 0 ? 'a combination that this key hardly ever uses' : changed.join(', ')
  sink.report({
    signal,
    points,
    startSeconds: episode.firstSeconds,
    windowSeconds: Math.max(1, episode.lastSeconds - episode.firstSeconds),
    observed: episode.messages,
    expected: 0,
    expectedLow: 0,
    expectedHigh: 0,
    messages: episode.messages,
    domains: episode.domains.length,
    holdMinutes: HOLD_MINUTES,
    text: `${number(episode.messages)} ${episode.messages === 1 ? 'message' : 'messages'} built unlike its others: ${what}`,
    details: {
      new_values: Object.fromEntries(
        episode.values.map(([field, value]) => [evidenceNames[field] ?? '', value]),
      ),
    },
  })
}

function shown(field: number, value: string): string {
  if (field === 0) return 'of a new kind'
  return value === '' ? 'none' : `"${cutText(value, 60)}"`
}

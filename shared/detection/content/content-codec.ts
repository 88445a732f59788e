import { z } from 'zod'
import { decodeBottomK, encodeBottomK } from '../statistics/bottom-k.ts'
import { sharedText } from '../shared-text.ts'
import {
  createAudienceWatch,
  SEEN_DOMAINS,
  SEEN_RECIPIENTS,
  temperedSum,
  type AudienceWatch,
} from './audience-state.ts'
import { createContent, type ContentState } from './content-watch.ts'
import {
  addDomain,
  learntOf,
  setToday,
  setWindow,
  todayOf,
  placeWindowOf,
  type DomainMemory,
} from './domain-memory.ts'
import { senderFields, type SenderWatch } from './sender-watch.ts'

const record = z.tuple([z.string(), z.number(), z.number(), z.number(), z.number()])
const episode = z.object({
  points: z.number(),
  messages: z.number(),
  firstSeconds: z.number(),
  lastSeconds: z.number(),
  values: z.array(z.tuple([z.number().int(), z.string()])),
  domains: z.array(z.number()),
})
const suspicion = z.object({
  points: z.number(),
  messages: z.number(),
  firstSeconds: z.number(),
  lastSeconds: z.number(),
})
const spread = z.object({ sum: z.number(), weight: z.number() })

const contentSchema = z.object({
  day: z.number(),
  activeDays: z.number(),
  messages: z.number(),
  messagesToday: z.number(),
  untrainedThrough: z.number(),
  memories: z.array(z.object({ newDays: z.number(), records: z.array(record) })).length(senderFields.length),
  episodes: z.array(episode.nullable()).length(3),
  domains: z.object({
    places: z.array(z.tuple([z.string(), z.number(), z.number(), z.number(), z.number()])),
    other: z.tuple([z.number(), z.number(), z.number()]),
    unseen: z.tuple([z.number(), z.number(), z.number()]),
    total: z.number(),
  }),
  seenDomains: z.string(),
  seenRecipients: z.string(),
  mixSpread: spread,
  strangerSpread: spread,
  strangers: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  mix: suspicion,
  stranger: suspicion.extend({
    strangers: z.number(),
    domains: z.array(z.number()),
    perDomain: z.array(z.number()),
  }),
  recent: z.array(z.number()).length(8),
  recentAt: z.number().int(),
})
type EncodedContent = z.input<typeof contentSchema>

/** The state as JSON; what is decoded from it behaves exactly alike. */
export function encodeContent({ sender, audience, ...rest }: ContentState): EncodedContent {
  return {
    ...rest,
    memories: sender.memories.map(({ newDays, records }) => ({
      newDays,
      records: records.map(({ value, count, days, lastDay, today }) => [value, count, days, lastDay, today]),
    })),
    episodes: sender.episodes.map((known) => known ?? null),
    domains: encodeDomains(audience.domains),
    seenDomains: encodeBottomK(audience.seenDomains),
    seenRecipients: encodeBottomK(audience.seenRecipients),
    mixSpread: audience.mixSpread,
    strangerSpread: audience.strangerSpread,
    strangers: [audience.strangers, audience.lookedUp, audience.strangersToday, audience.lookedUpToday],
    mix: audience.mix,
    stranger: audience.stranger,
    recent: [...audience.recent],
    recentAt: audience.recentAt,
  }
}

function encodeDomains(domains: DomainMemory): EncodedContent['domains'] {
  return {
    places: Array.from({ length: domains.size }, (_, place) => [
      domains.names[place] ?? '',
      domains.numbers[place] ?? 0,
      learntOf(domains, place),
      todayOf(domains, place),
      placeWindowOf(domains, place),
    ]),
    other: [domains.otherCount, domains.otherToday, domains.otherWindow],
    unseen: [domains.unseenCount, domains.unseenToday, domains.unseenWindow],
    total: domains.total,
  }
}

/** Throws ZodError for anything that `encodeContent` did not make. */
export function decodeContent(json: unknown): ContentState {
  const saved = contentSchema.parse(json)
  const { day, activeDays, messages, messagesToday, untrainedThrough } = saved
  const { sender, audience } = createContent()
  restoreSender(sender, saved)
  return {
    sender,
    audience: restoreAudience(audience, saved),
    day,
    activeDays,
    messages,
    messagesToday,
    untrainedThrough,
  }
}

type SavedContent = z.output<typeof contentSchema>

function restoreSender(sender: SenderWatch, saved: SavedContent): void {
  for (const [index, { newDays, records }] of saved.memories.entries()) {
    const memory = sender.memories[index]
    if (memory === undefined) continue
    memory.newDays = newDays
    memory.records = records.map(([value, count, days, lastDay, today]) => ({
      value: sharedText(value),
      count,
      days,
      lastDay,
      today,
    }))
  }
  for (const [index, known] of saved.episodes.entries()) sender.episodes[index] = known ?? undefined
}

function restoreAudience(fresh: ReturnType<typeof createAudienceWatch>, saved: SavedContent): AudienceWatch {
  const { domains } = fresh
  for (const [name, hash, count, today, inWindow] of saved.domains.places) {
    const place = addDomain(domains, hash, name)
    domains.counts[place] = count
    setToday(domains, place, today)
    setWindow(domains, place, inWindow)
  }
  ;[domains.otherCount, domains.otherToday, domains.otherWindow] = saved.domains.other
  ;[domains.unseenCount, domains.unseenToday, domains.unseenWindow] = saved.domains.unseen
  domains.total = saved.domains.total
  const recent = Uint32Array.from(saved.recent)
  const [strangers, lookedUp, strangersToday, lookedUpToday] = saved.strangers
  return {
    domains,
    seenDomains: decodeBottomK(SEEN_DOMAINS, saved.seenDomains),
    seenRecipients: decodeBottomK(SEEN_RECIPIENTS, saved.seenRecipients),
    temperedTotal: domains.total === 0 ? 1 : temperedSum(domains),
    mixSpread: saved.mixSpread,
    strangerSpread: saved.strangerSpread,
    strangers,
    lookedUp,
    strangersToday,
    lookedUpToday,
    mix: saved.mix,
    stranger: saved.stranger,
    recent,
    recentAt: saved.recentAt,
  }
}

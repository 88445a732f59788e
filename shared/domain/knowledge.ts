import { z } from 'zod'

const isoTime = z.iso.datetime()
const name = z.string().min(1).max(256)

/** How a person judges an alert: a mistake of the detector's, right but intended, or misuse. */
export const verdicts = ['false', 'expected', 'true'] as const
export type Verdict = (typeof verdicts)[number]

const common = {
  knowledge_id: z.string().min(1).max(64),
  source: name,
  key: name,
  author: z.string().min(1).max(128),
  note: z.string().max(1000),
  created_at: isoTime,
  revoked: z.boolean(),
}

/**
 * A send that somebody announced. Within its time up to `messages_max` messages of this content are quiet; a part of
 * the content that is not named may be anything.
 */
const plannedSend = z.object({
  ...common,
  kind: z.literal('planned_send'),
  from: isoTime,
  /** Exclusive. */
  until: isoTime,
  messages_max: z.number().int().positive().max(1_000_000_000),
  template: name.optional(),
  category: name.optional(),
  campaign: name.optional(),
})
export type PlannedSend = z.output<typeof plannedSend>

/** What the key has done since `from` is usual from now on. */
const acceptNewNormal = z.object({ ...common, kind: z.literal('accept_new_normal'), from: isoTime })

/** A verdict on one alert. It carries the alert's key and time, so that nobody has to look the alert up to obey. */
const alertMark = z.object({
  ...common,
  kind: z.literal('alert_mark'),
  alert_id: z.string().min(1).max(64),
  verdict: z.enum(verdicts),
  alert_started_at: isoTime,
  /** Null: the alert was still open when it was marked. */
  alert_ended_at: isoTime.nullable(),
})
export type AlertMark = z.output<typeof alertMark>

/** Nothing may be sent with this key from `since` on. The source `*` stands for every source. */
const retiredKey = z.object({ ...common, kind: z.literal('retired_key'), since: isoTime })

/**
 * One fact that a person stated. It never changes; it can be taken back (`revoked`), and the latest one of its kind
 * about the same thing counts. Times are ISO 8601 UTC.
 */
export const knowledgeSchema = z
  .discriminatedUnion('kind', [plannedSend, acceptNewNormal, alertMark, retiredKey])
  .refine((item) => item.kind !== 'planned_send' || Date.parse(item.from) < Date.parse(item.until), {
    path: ['until'],
    error: 'must be later than from',
  })
export type Knowledge = z.output<typeof knowledgeSchema>

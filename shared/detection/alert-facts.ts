import { cutText } from '#shared/domain/normalise-text.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { number, sentences } from './alert-text.ts'

/** One value of a field, and its share of the messages in the episode and in the time before. */
export type Contributor = {
  readonly value: string
  readonly share: number
  /** Undefined where nothing was sent before. */
  readonly shareBefore: number | undefined
}

/** What a key sends in an episode against what it sent before: the commonest values of each field. */
export type AlertFacts = Readonly<Record<string, readonly Contributor[]>>

type Count = {
  readonly field: string
  readonly value: string
  readonly messages: number
  readonly messages_before: number
}

/** The field whose only value counts every message. */
const ALL = 'all'

/** Turns counts into shares. */
export function alertFactsFrom(counts: readonly Count[]): AlertFacts {
  const all = counts.find(({ field }) => field === ALL)
  const facts: Record<string, Contributor[]> = {}
  for (const { field, value, messages, messages_before } of counts) {
    if (field === ALL || all === undefined) continue
    const before = all.messages_before
    facts[field] ??= []
    facts[field].push({
      value,
      share: messages / Math.max(1, all.messages),
      shareBefore: before === 0 ? undefined : messages_before / before,
    })
  }
  return facts
}

/** A value is worth a sentence when it makes up this much of the episode and was that rare before. */
const STRIKING_SHARE = 0.3
const STRIKING_SHARE_BEFORE = 0.02
const REMARKS_MAX = 3

const LABELS: Readonly<Record<string, string>> = {
  category: 'category',
  template: 'template',
  recipient_domain: 'recipient domain',
  pool: 'IP pool',
}

/** The alert with what its key sends as evidence, and with what is strikingly new about it in its summary. */
export function withFacts(alert: Alert, facts: AlertFacts): Alert {
  const remarks = remarksOn(facts)
  const known = alert.evidence['remarks']
  return {
    ...alert,
    evidence: {
      ...alert.evidence,
      top_values: Object.fromEntries(
        Object.entries(facts).map(([field, contributors]) => [
          field,
          contributors.map(({ value, share, shareBefore }) => ({
            value,
            share: rounded(share),
            share_before: shareBefore === undefined ? null : rounded(shareBefore),
          })),
        ]),
      ),
      remarks: [...(Array.isArray(known) ? known : []), ...remarks],
    },
    summary: sentences([alert.summary, ...remarks]),
  }
}

function remarksOn(facts: AlertFacts): string[] {
  const remarks: string[] = []
  const shape = facts['shape']?.[0]
  if (shape !== undefined && isStriking(shape)) {
    remarks.push(
      `${percent(shape.share)} of it is built unlike this key's usual messages (${usually(shape)}): other software sends it.`,
    )
  }
  for (const [field, label] of Object.entries(LABELS)) {
    const top = facts[field]?.[0]
    if (top === undefined || !isStriking(top)) continue
    const value = top.value === '' ? `no ${label}` : `${label} "${cutText(top.value, 60)}"`
    remarks.push(`${percent(top.share)} has ${value} (${usually(top)}).`)
  }
  return remarks.slice(0, REMARKS_MAX)
}

function isStriking({ share, shareBefore }: Contributor): boolean {
  return share >= STRIKING_SHARE && shareBefore !== undefined && shareBefore <= STRIKING_SHARE_BEFORE
}

function usually({ shareBefore }: Contributor): string {
  return shareBefore === undefined || shareBefore === 0 ? 'never before' : `usually ${percent(shareBefore)}`
}

function percent(share: number): string {
  return `${number(share * 100)} %`
}

function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000
}

import { EVERY } from '#shared/domain/alert.ts'
import type { AlertMark, Knowledge, PlannedSend, Verdict } from '#shared/domain/knowledge.ts'
import type { EventFacts } from './engine-input.ts'

/** A planned send, ready to be compared: times in seconds, the end exclusive. */
export type Plan = {
  readonly planId: string
  readonly fromSeconds: number
  readonly untilSeconds: number
  readonly messagesMax: number
  readonly template: string | undefined
  readonly category: string | undefined
  readonly campaign: string | undefined
}

/** A person's verdict on an alert, with the time that the alert was about (seconds; undefined: it was still open). */
export type Mark = {
  readonly alertId: string
  readonly verdict: Verdict
  readonly fromSeconds: number
  readonly untilSeconds: number | undefined
}

/** What of a message a plan may name. */
export type PlanContent = Pick<EventFacts, 'template' | 'categories' | 'campaign'>

/**
 * What people have stated, arranged for the engine. It never changes: whoever reads the facts again makes a new book
 * and puts it in the old one's place. What it answers does not depend on the order of the facts.
 */
export type KnowledgeBook = {
  readonly isRetired: (source: string, key: string, seconds: number) => boolean
  /**
   * The plan that this message is part of. `mismatch` where a plan covers the time and none the content: somebody
   * sends something else at an announced time, which is worse than sending at any other. Undefined where no plan covers
   * the time. Without a content only the time is compared.
   *
   * The book counts nothing: how much of `messagesMax` is used up is the caller's to know, by `planId`.
   */
  readonly planFor: (
    source: string,
    key: string,
    seconds: number,
    content?: PlanContent,
  ) => Plan | 'mismatch' | undefined
  /** The latest time (seconds) at or before `atSeconds` from which the key's behaviour was accepted as usual. */
  readonly acceptedFrom: (source: string, key: string, atSeconds?: number) => number | undefined
  readonly verdictOf: (alertId: string) => Verdict | undefined
  /** The key's alerts that were judged, earliest first: what is false or expected may be learnt from. */
  readonly marksOf: (source: string, key: string) => readonly Mark[]
  /** How many facts hold. */
  readonly size: number
}

/** Everything stated about one key of one source (or of every source). */
type KeyFacts = {
  readonly plans: Plan[]
  readonly accepted: number[]
  readonly marks: Mark[]
  retiredSince: number
}

const NO_MARKS: readonly Mark[] = []

/** Arranges facts; those taken back are left out. */
export function createKnowledgeBook(items: readonly Knowledge[]): KnowledgeBook {
  const holding = items.filter(({ revoked }) => !revoked).toSorted(byCreation)
  const keys = new Map<string, Map<string, KeyFacts>>()
  const verdicts = new Map<string, AlertMark>()
  for (const item of holding) {
    // Later facts come later, so the last verdict on an alert stays.
    if (item.kind === 'alert_mark') verdicts.set(item.alert_id, item)
    else addFact(factsOf(keys, item.source, item.key), item)
  }
  for (const mark of verdicts.values()) factsOf(keys, mark.source, mark.key).marks.push(markOf(mark))
  for (const ofSource of keys.values()) for (const facts of ofSource.values()) arrange(facts)
  const everywhere = keys.get(EVERY)
  const own = (source: string, key: string) => keys.get(source)?.get(key)
  const shared = (key: string) => everywhere?.get(key)

  return {
    size: holding.length,
    isRetired: (source, key, seconds) =>
      seconds >= (own(source, key)?.retiredSince ?? Infinity) ||
      seconds >= (shared(key)?.retiredSince ?? Infinity),
    planFor: (source, key, seconds, content) => {
      const found = findPlan(own(source, key)?.plans, seconds, content)
      if (typeof found === 'object') return found
      return findPlan(shared(key)?.plans, seconds, content) ?? found
    },
    acceptedFrom: (source, key, atSeconds = Infinity) => {
      const latest = Math.max(
        latestUpTo(own(source, key)?.accepted, atSeconds),
        latestUpTo(shared(key)?.accepted, atSeconds),
      )
      return latest === -Infinity ? undefined : latest
    },
    verdictOf: (alertId) => verdicts.get(alertId)?.verdict,
    marksOf: (source, key) => own(source, key)?.marks ?? NO_MARKS,
  }
}

function byCreation(left: Knowledge, right: Knowledge): number {
  const difference = Date.parse(left.created_at) - Date.parse(right.created_at)
  if (difference !== 0) return difference
  return left.knowledge_id < right.knowledge_id ? -1 : left.knowledge_id > right.knowledge_id ? 1 : 0
}

function factsOf(keys: Map<string, Map<string, KeyFacts>>, source: string, key: string): KeyFacts {
  const ofSource = keys.get(source) ?? new Map<string, KeyFacts>()
  keys.set(source, ofSource)
  const facts = ofSource.get(key) ?? { plans: [], accepted: [], marks: [], retiredSince: Infinity }
  ofSource.set(key, facts)
  return facts
}

function addFact(facts: KeyFacts, item: Exclude<Knowledge, AlertMark>): void {
  switch (item.kind) {
    case 'planned_send':
      facts.plans.push(planOf(item))
      return
    case 'accept_new_normal':
      facts.accepted.push(secondsOf(item.from))
      return
    case 'retired_key':
      facts.retiredSince = Math.min(facts.retiredSince, secondsOf(item.since))
      return
    default:
      item satisfies never
  }
}

function arrange(facts: KeyFacts): void {
  facts.plans.sort((left, right) => left.fromSeconds - right.fromSeconds)
  facts.accepted.sort((left, right) => left - right)
  facts.marks.sort((left, right) => left.fromSeconds - right.fromSeconds)
}

function planOf(item: PlannedSend): Plan {
  return {
    planId: item.knowledge_id,
    fromSeconds: secondsOf(item.from),
    untilSeconds: secondsOf(item.until),
    messagesMax: item.messages_max,
    template: item.template,
    category: item.category,
    campaign: item.campaign,
  }
}

function markOf(item: AlertMark): Mark {
  return {
    alertId: item.alert_id,
    verdict: item.verdict,
    fromSeconds: secondsOf(item.alert_started_at),
    untilSeconds: item.alert_ended_at === null ? undefined : secondsOf(item.alert_ended_at),
  }
}

function findPlan(
  plans: readonly Plan[] | undefined,
  seconds: number,
  content: PlanContent | undefined,
): Plan | 'mismatch' | undefined {
  let found: 'mismatch' | undefined
  for (const plan of plans ?? []) {
    if (seconds < plan.fromSeconds || seconds >= plan.untilSeconds) continue
    if (content === undefined || matches(plan, content)) return plan
    found = 'mismatch'
  }
  return found
}

function matches({ template, category, campaign }: Plan, content: PlanContent): boolean {
  return (
    (template === undefined || template === content.template) &&
    (campaign === undefined || campaign === content.campaign) &&
    (category === undefined || hasCategory(content.categories, category))
  )
}

/** Categories come joined by a comma and a blank, which a category may hold itself. */
function hasCategory(categories: string, category: string): boolean {
  return categories === category || `, ${categories}, `.includes(`, ${category}, `)
}

function latestUpTo(sorted: readonly number[] | undefined, atSeconds: number): number {
  return sorted?.findLast((seconds) => seconds <= atSeconds) ?? -Infinity
}

function secondsOf(iso: string): number {
  return Math.floor(Date.parse(iso) / 1000)
}

import { EVERY, type Signal } from '#shared/domain/alert.ts'
import type { Config } from '#shared/config/config.ts'
import { attributionRulesFor, createAttributor } from '#shared/domain/attribute-event.ts'
import { generateEvents } from '../event-stream.ts'
import type { KeyProfile } from '../key-profile.ts'
import { MINUTE_MS } from './local-time.ts'
import type { PlacedScenario } from './place-scenarios.ts'
import type { Family, Plan } from './scenario.ts'

/** What really happened, for whoever judges the alerts: one line of a label file. */
export type ScenarioLabel = {
  readonly kind: 'attack' | 'benign'
  readonly scenario: string
  /** The scenario's name again, where it is an attack. */
  readonly attack?: string
  readonly family: Family
  readonly signals: readonly Signal[]
  /** `*`: several or all. */
  readonly source: string
  /** The key that was stolen, or that does something unusual; `*`: several or all. */
  readonly key: string
  /** What the attribution rules make of its messages; `*`: several keys. */
  readonly attributed_as: string
  readonly targets: readonly {
    readonly source: string
    readonly key: string
    readonly attributed_as: string
  }[]
  /** ISO 8601, UTC. */
  readonly started_at: string
  readonly ended_at: string
  readonly messages: number
  /**
   * Messages accepted from start to end that are there, or are what they are, because of it; none where it takes
   * messages away or leaves them as they are.
   */
  readonly message_ids: readonly string[]
}

export type LabelOptions = {
  readonly seed: number
  readonly rate: number
  /** The fleet with all scenarios in it. */
  readonly profiles: readonly KeyProfile<string>[]
  readonly config: Pick<Config, 'sources' | 'attribution'>
}

/** The label of a placed scenario, by generating its own traffic once. */
export function labelScenario({ id, scenario, plan }: PlacedScenario, options: LabelOptions): ScenarioLabel {
  const messages = messagesOf(id, plan, options)
  const targets = plan.targets.map(({ source, key }) => {
    const own = messages.filter((message) => message.source === source && message.key === key)
    return { source, key, attributed_as: onlyOne(own.map((message) => message.attributedAs)) ?? key }
  })
  const firstMs = plan.senders === undefined ? undefined : messages[0]?.atMs
  // What begins slowly begins with its first message.
  const fromMs = firstMs === undefined || firstMs < plan.span.fromMs + MINUTE_MS ? plan.span.fromMs : firstMs
  return {
    kind: scenario.kind,
    scenario: scenario.name,
    ...(scenario.kind === 'attack' ? { attack: scenario.name } : {}),
    family: plan.family,
    signals: plan.signals,
    source: onlyOne(targets.map(({ source }) => source)) ?? EVERY,
    key: onlyOne(targets.map(({ key }) => key)) ?? EVERY,
    attributed_as: onlyOne(targets.map((target) => target.attributed_as)) ?? EVERY,
    targets,
    started_at: new Date(fromMs).toISOString(),
    ended_at: new Date(plan.span.toMs).toISOString(),
    messages: messages.length,
    message_ids: messages.map((message) => message.id),
  }
}

/** Undefined for none; `*` for several. */
function onlyOne(values: readonly string[]): string | undefined {
  const different = new Set(values)
  const [first] = different
  return different.size > 1 ? EVERY : first
}

type LabelledMessage = {
  readonly id: string
  readonly atMs: number
  readonly source: string
  readonly key: string
  readonly attributedAs: string
}

function messagesOf(id: string, plan: Plan, options: LabelOptions): LabelledMessage[] {
  const { seed, rate } = options
  const { span, deliveries = [] } = plan
  const profiles = concerned(id, plan, options.profiles)
  if (profiles.length === 0) return []
  const attribute = createAttributors(options.config)
  const messages = new Map<string, LabelledMessage>()
  for (const simulated of generateEvents({ profiles, seed, rate, ...span })) {
    const { atMs, source, key, scenario, event } = simulated
    if (event.event !== 'processed' && event.event !== 'dropped') continue
    const touched = deliveries.some(
      (one) => one.kind !== 'silenced' && one.source === source && atMs >= one.fromMs && atMs < one.toMs,
    )
    if (scenario !== id && !touched) continue
    const message = event.sg_message_id
    messages.set(message, { id: message, atMs, source, key, attributedAs: attribute(source, event) })
  }
  return [...messages.values()]
}

/** The profiles whose messages may be the scenario's. */
function concerned(
  id: string,
  plan: Plan,
  profiles: readonly KeyProfile<string>[],
): readonly KeyProfile<string>[] {
  if (plan.senders !== undefined) return plan.senders
  const sources = (plan.deliveries ?? [])
    .filter(({ kind }) => kind !== 'silenced')
    .map(({ source }) => source)
  return profiles.filter(
    ({ source, changes = [], troubles = [] }) =>
      sources.includes(source) || [...changes, ...troubles].some(({ scenario }) => scenario === id),
  )
}

function createAttributors(config: LabelOptions['config']) {
  const attributors = new Map(
    Object.entries(config.sources).map(([source, configured]) => [
      source,
      createAttributor({
        source,
        key: configured.key,
        rules: attributionRulesFor(configured, config.attribution),
      }),
    ]),
  )
  return (source: string, event: { readonly [name: string]: unknown }) => {
    const attributor = attributors.get(source)
    if (attributor === undefined) throw new RangeError(`source ${source} is not configured`)
    return attributor(event).key
  }
}

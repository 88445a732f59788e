import type { Signal } from '#shared/domain/alert.ts'
import type { KeyProfile, Span } from '../key-profile.ts'
import type { Random } from '../random.ts'

/** What kind of evidence should carry the finding. */
export type Family =
  'volume' | 'sender' | 'audience' | 'outcome' | 'key' | 'unattributed' | 'fleet' | 'source'

export type Target = { readonly source: string; readonly key: string }

/** What becomes of a source's events on their way to us. */
export type Delivery = Span & {
  /**
   * `silenced`: never posted. `redelivered`: posted again and again for 29 hours. `held`: posted in one go after the
   * end of the span.
   */
  readonly kind: 'silenced' | 'redelivered' | 'held'
  readonly scenario: string
  readonly source: string
}

/** What one scenario does to a fleet. */
export type Plan = {
  readonly span: Span
  /** Within this nothing else may happen to the targets, when that is more than the span. */
  readonly occupies?: Span
  /** `*` stands for every key of a source, or for every source. */
  readonly targets: readonly Target[]
  readonly family: Family
  /** Names under which an alert would name it rightly; none for what is no misuse. */
  readonly signals: readonly Signal[]
  /** Who sends because of it. */
  readonly senders?: readonly KeyProfile<string>[]
  /** What it changes about the fleet's own keys; answers the profile itself where it changes nothing. */
  readonly alter?: (profile: KeyProfile<string>) => KeyProfile<string>
  readonly deliveries?: readonly Delivery[]
}

export type PlanRequest = {
  /** Names the scenario's traffic and random streams: no other scenario of the fleet has it. */
  readonly id: string
  /** The key that it is about; of a scenario about a whole source or fleet, any key of it. */
  readonly victim: KeyProfile<string>
  readonly fleet: readonly KeyProfile<string>[]
  /** When the history begins. */
  readonly startMs: number
  /** Not before; a scenario moves on to the time of day that it needs. */
  readonly atMs: number
  /** End of the simulated time: what goes on for ever ends here. */
  readonly endMs: number
  readonly random: Random
}

export type Scenario = {
  readonly name: string
  readonly kind: 'attack' | 'benign'
  readonly about: string
  /** Happens to a whole source, or to the fleet, or to many keys at once. */
  readonly wide?: true
  /** Fewer messages than this would be no such thing; absent: one. */
  readonly messagesMin?: number
  /** Whether it can happen to this key. */
  readonly suits: (profile: KeyProfile<string>, atMs: number) => boolean
  /** Undefined where there is no such day before the end. */
  readonly plan: (request: PlanRequest) => Plan | undefined
}

export const targetOf = ({ source, name }: KeyProfile<string>): Target => ({ source, key: name })

/** Whether a message says which key sent it; otherwise its source is declared to be one key's. */
export function isNamedInMessages({ content }: KeyProfile<string>): boolean {
  const [categories] = content.categories[0] ?? [[]]
  return 'api_key_id' in content.customArguments || categories.some((name) => name.startsWith('key:'))
}

/** Changes one key only. */
export function alterKey(
  victim: KeyProfile<string>,
  change: (profile: KeyProfile<string>) => KeyProfile<string>,
): (profile: KeyProfile<string>) => KeyProfile<string> {
  return (profile) =>
    profile.name === victim.name && profile.source === victim.source ? change(profile) : profile
}

/** The profile with its volume multiplied within a span. */
export function withVolume(profile: KeyProfile<string>, span: Span, factor: (atMs: number) => number) {
  const { volume } = profile
  return {
    ...profile,
    volume: (atMs: number) =>
      (volume?.(atMs) ?? 1) * (atMs >= span.fromMs && atMs < span.toMs ? factor(atMs) : 1),
  }
}

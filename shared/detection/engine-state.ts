import type { Alert } from '#shared/domain/alert.ts'
import { MINUTES_PER_DAY } from './clock.ts'
import type { DetectionSettings } from './detection-settings.ts'
import type { EngineEvent } from './engine-input.ts'
import type { ErrorBudget } from './error-budget.ts'
import type { EvidenceSink } from './evidence.ts'
import type { KeyState } from './key-state.ts'
import type { KnowledgeBook } from './knowledge-book.ts'
import type { Notices } from './notices.ts'
import { createSourceState, type SourceState } from './source-state.ts'

export const MINUTE_MS = 60_000

/** Everything the engine remembers. */
export type EngineState = {
  readonly settings: DetectionSettings
  /** What an operator set for one key. */
  readonly settingsOf: (source: string, key: string) => DetectionSettings
  readonly emit: (alert: Alert) => void
  readonly sources: Map<string, SourceState>
  /** The keys that something is held against. */
  readonly suspects: Set<KeyState>
  readonly notices: Notices
  readonly sink: EvidenceSink
  readonly budget: ErrorBudget
  knowledge: KnowledgeBook
  /** The latest minute of the arrival clock. */
  clockMinute: number
  /** What the sink writes about: set before a module is called. */
  subject: { state: KeyState; minute: number; nowMs: number; event: EngineEvent | undefined } | undefined
  silent: boolean
}

export function* keyStates(engine: EngineState): Generator<KeyState> {
  for (const { keys } of engine.sources.values()) yield* keys.values()
}

export function sourceState({ sources }: EngineState, source: string): SourceState {
  const known = sources.get(source)
  if (known !== undefined) return known
  const made = createSourceState(source)
  sources.set(source, made)
  return made
}

/** The more keys there are, the rarer must be what wakes somebody: twice the keys must not be twice the noise. */
export function pageEveryDays(
  { sources, budget }: EngineState,
  settings: DetectionSettings,
  minute: number,
): number {
  let keys = 0
  for (const source of sources.values()) keys += source.keys.size
  const ofFleet = budget.limitDays(Math.floor(minute / MINUTES_PER_DAY), keys)
  return Math.max(settings.pageEveryDays, ofFleet)
}

/** Whether the key has had enough sustained traffic for its habits to be known. */
export function isMature(state: KeyState): boolean {
  return state.content.activeDays >= 3
}

import type { Alert } from '#shared/domain/alert.ts'
import { dayOf, minuteOf } from './clock.ts'
import { acceptContent, setContentTraining } from './content/content-watch.ts'
import type { EngineEvent } from './engine-input.ts'
import type { Evidence } from './evidence.ts'
import { endedAlert } from './incident-alerts.ts'
import { groupOf } from './incident-score.ts'
import type { KeyState } from './key-state.ts'
import type { KnowledgeBook } from './knowledge-book.ts'
import { acceptOutcomes, setOutcomeTraining } from './outcomes/outcome-watch.ts'
import { acceptVolume, messagesBetween, setVolumeTraining } from './volume/volume-watch.ts'

type Emission = { readonly nowMs: number; readonly emit: (alert: Alert) => void }

/** Something else than planned at a planned time is worse than at any other. */
const MISMATCH_POINTS = 2

/** The evidence as far as no plan explains it; undefined where one does. */
export function plannedEvidence(
  evidence: Evidence,
  knowledge: KnowledgeBook,
  { state, event }: { readonly state: KeyState; readonly event: EngineEvent | undefined },
): Evidence | undefined {
  if (knowledge.size === 0) return evidence
  const group = groupOf(evidence.signal)
  if (group !== 'volume' && group !== 'sender' && group !== 'audience') return evidence
  const seconds = event?.timestamp ?? evidence.startSeconds
  const plan = knowledge.planFor(state.source, state.key, seconds, event?.facts)
  if (plan === undefined) return evidence
  if (plan === 'mismatch') return { ...evidence, points: evidence.points + MISMATCH_POINTS }
  // A plan that names no content announces how much is sent, not what and to whom.
  const isNamed = plan.template !== undefined || plan.category !== undefined || plan.campaign !== undefined
  if (group !== 'volume' && !isNamed) return evidence
  const sent = messagesBetween(state.volume, minuteOf(plan.fromSeconds), minuteOf(seconds))
  return sent <= plan.messagesMax ? undefined : evidence
}

/** Takes over that a person accepted what the key does from some time on: it is usual from now on. */
export function applyAcceptance(
  state: KeyState,
  knowledge: KnowledgeBook,
  { timestamp, ...emission }: Emission & { readonly timestamp: number },
): void {
  const from = knowledge.acceptedFrom(state.source, state.key, timestamp)
  if (from === undefined || from <= state.acceptedFrom) return
  state.acceptedFrom = from
  acceptVolume(state.volume, minuteOf(from))
  acceptOutcomes(state.outcomes)
  acceptContent(state.content)
  endAll(state, minuteOf(timestamp), emission)
}

/** Takes over people's verdicts: what was false or expected is over, and may be learnt. */
export function applyVerdicts(state: KeyState, knowledge: KnowledgeBook, emission: Emission): void {
  const isExplained = [...state.evidence.values()].some(({ alert }) => {
    const verdict = alert === undefined ? undefined : knowledge.verdictOf(alert.alert_id)
    return verdict === 'false' || verdict === 'expected'
  })
  if (!isExplained) return
  const { incident } = state
  const startMinute = minuteOf(incident?.startSeconds ?? state.headSeconds)
  const minutes = { startMinute, endMinute: minuteOf(state.headSeconds) }
  setVolumeTraining(state.volume, minutes, true)
  setOutcomeTraining(state.outcomes, minutes, true)
  setContentTraining(state.content, dayOf(startMinute * 60), true)
  acceptContent(state.content)
  endAll(state, minutes.endMinute, emission)
}

function endAll(state: KeyState, endMinute: number, { nowMs, emit }: Emission): void {
  for (const [signal, { alert }] of state.evidence) {
    state.ended.set(signal, endMinute + 1)
    if (alert !== undefined) emit(endedAlert(alert, { endMinute: endMinute + 1, nowMs }))
  }
  state.evidence.clear()
  state.incident = undefined
  state.dirty = true
}

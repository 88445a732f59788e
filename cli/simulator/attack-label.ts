import { appendFile } from 'node:fs/promises'
import type { AttackPlan } from './attack.ts'
import { generateEvents, type StreamOptions } from './event-stream.ts'
import type { KeyProfile } from './key-profile.ts'

/** What really happened, for whoever judges the alerts: one line of a label file. */
export type AttackLabel = {
  readonly attack: string
  readonly source: string
  /** The key that was stolen. */
  readonly key: string
  /** ISO 8601, UTC. */
  readonly started_at: string
  readonly ended_at: string
  readonly messages: number
  readonly message_ids: readonly string[]
}

/** The label of an attack that is planned: its messages are known before the first one is sent. */
export function labelOf(
  thief: KeyProfile,
  plan: AttackPlan,
  stream: Pick<StreamOptions, 'seed' | 'rate'>,
): AttackLabel {
  const messageIds = new Set<string>()
  const toMs = plan.fromMs + plan.durationMs
  for (const { event } of generateEvents({ ...stream, profiles: [thief], fromMs: plan.fromMs, toMs })) {
    messageIds.add(event.sg_message_id)
  }
  return {
    attack: plan.attack,
    source: thief.source,
    key: thief.name,
    started_at: new Date(plan.fromMs).toISOString(),
    ended_at: new Date(toMs).toISOString(),
    messages: messageIds.size,
    message_ids: [...messageIds],
  }
}

/** Adds the label to a file of one JSON object per line. */
export async function appendLabel(file: string, label: AttackLabel): Promise<void> {
  await appendFile(file, `${JSON.stringify(label)}\n`)
}

import type { DetectionEngine } from '#shared/detection/detection-engine.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { KEY_STATE_VERSION } from '#shared/detection/key-codec.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { loadKeyStates, type KeyStateRow } from '#shared/warehouse/key-state-store.ts'
import { eventsSince, pastEvents } from '#shared/warehouse/stored-events-store.ts'
import { keyText, type KeyName } from '#shared/warehouse/usage-store.ts'

/** What a key's state was worked out from. */
export type PastBasis = {
  /** Milliseconds: arrival up to which the detector had saved the key's state; undefined: from events alone. */
  readonly savedUntilMs: number | undefined
  /** Milliseconds: no earlier event was asked for. */
  readonly fromMs: number
  readonly events: number
}

/** As the detector does for a key without a saved state. */
const PAST_MS = 35 * 24 * 3600 * 1000
export const PAST_EVENTS_MAX = 200_000

/**
 * The events to feed, in order of arrival. Where the detector saved the key's state before the moment, the engine is
 * given that state, and only what came after it is read: then nothing is lost of what the detector knew.
 */
export async function readPast(
  client: ClickHouseClient,
  engine: Pick<DetectionEngine, 'restoreKey'>,
  { source, key, atMs }: KeyName & { readonly atMs: number },
): Promise<{
  readonly events: AsyncIterable<readonly EngineEvent[]>
  readonly basis: Omit<PastBasis, 'events'>
}> {
  const named = { source, key }
  const states = await loadKeyStates(client, [named], String(KEY_STATE_VERSION))
  const saved = states.get(keyText(named))
  if (saved !== undefined && saved.arrivedUntilMs < atMs && isRestored(engine, saved)) {
    const { partition, logOffset, arrivedUntilMs } = saved
    return {
      events: eventsSince(client, [{ ...named, checkpoint: { partition, logOffset, arrivedUntilMs } }]),
      basis: { savedUntilMs: arrivedUntilMs, fromMs: arrivedUntilMs },
    }
  }
  const fromMs = atMs - PAST_MS
  return {
    events: pastEvents(client, [named], {
      fromSeconds: Math.floor(fromMs / 1000),
      eventsPerKeyMax: PAST_EVENTS_MAX,
      arrivedUntilMs: atMs,
    }),
    basis: { savedUntilMs: undefined, fromMs },
  }
}

function isRestored(engine: Pick<DetectionEngine, 'restoreKey'>, saved: KeyStateRow): boolean {
  try {
    engine.restoreKey(saved.source, saved.key, saved.state)
    return true
  } catch {
    // Another version saved it; the events tell the same.
    return false
  }
}

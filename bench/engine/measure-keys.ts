import { UNATTRIBUTED } from '#shared/domain/alert.ts'
import { createBenchEngine, type Grown, type SavedKey } from './grow-templates.ts'
import { usedBytes, type KeyFigures } from './measure.ts'
import { copyName } from './template-keys.ts'

/** Copies of one key among which the size of one is measured. */
const COPIES = 200

/** What single keys take, alive and as text. */
export function measureKeys({ saved, events, seconds, counterSeconds, bytes }: Grown): KeyFigures {
  return {
    keys: saved.length,
    events,
    seconds,
    counterSeconds,
    bytesGrown: bytes,
    perKey: saved.map((one) => ({
      key: one.key,
      events: one.events,
      liveBytes: liveBytesOf(one),
      savedCharacters: one.state.length,
    })),
  }
}

function liveBytesOf({ source, key, state }: SavedKey): number {
  const engine = createBenchEngine()
  // The source's own state and the first key's share of it are no part of the measurement.
  engine.restoreKey(source, 'first', state)
  const before = usedBytes()
  for (let copy = 0; copy < COPIES; copy += 1) {
    engine.restoreKey(source, copyName(key, copy), asAnotherKey(state, key, copy))
  }
  const bytes = (usedBytes() - before) / COPIES
  if (engine.keyCount() !== COPIES + 1) throw new Error(`${source}/${key} was not brought back`)
  return bytes
}

/** Keys share the names of public mailbox providers, and not their templates, categories and customers' domains. */
function asAnotherKey(state: string, key: string, copy: number): string {
  const renamed = state.replaceAll('.example"', `-${copy}.example"`).replaceAll('"d-', `"d-${copy}-`)
  // That word means something else, too.
  return key === UNATTRIBUTED ? renamed : renamed.replaceAll(key, copyName(key, copy))
}

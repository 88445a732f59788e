import type { DetectionEngine } from '#shared/detection/detection-engine.ts'
import type { StoredSource } from '#shared/detection/engine-input.ts'
import type { VolumeUnit } from '#shared/detection/volume/volume-unit.ts'
import { loadSources } from '#shared/warehouse/usage-store.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

/** Every source's age, unit and share of unattributed mail are asked for again this often. */
const REFRESH_MS = 15 * 60_000

/** Tells the engine what the warehouse knows of whole sources: an engine sees one partition of each. */
export type SourceLoader = {
  readonly unitOf: (source: string) => VolumeUnit
  readonly refresh: (nowMs: number) => Promise<void>
}

export function createSourceLoader(
  engine: Pick<DetectionEngine, 'loadSource'>,
  context: StoreContext,
): SourceLoader {
  const sources = new Map<string, StoredSource>()
  let loadedAtMs = -Infinity
  return {
    unitOf: (source) => sources.get(source)?.unit ?? 'processed',
    refresh: async (nowMs) => {
      if (nowMs - loadedAtMs < REFRESH_MS) return
      const nowSeconds = Math.floor(nowMs / 1000)
      const load = () => loadSources(context.client, nowSeconds)
      for (const source of await untilDone('load sources', load, context)) {
        sources.set(source.source, source)
        engine.loadSource(source)
      }
      loadedAtMs = nowMs
    },
  }
}

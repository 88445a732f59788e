import type { EngineEvent } from '#shared/detection/engine-input.ts'
import {
  chooseUnit,
  isMessage,
  undecidedUnit,
  type UnitChoice,
} from '#shared/detection/volume/volume-unit.ts'

/** What one key did in the whole run. */
export type KeyUsage = {
  readonly source: string
  readonly key: string
  /** Arrival of its first and its latest event, milliseconds. */
  readonly firstMs: number
  lastMs: number
  messages: number
  /** Messages by ten minutes since the epoch in event time, when they are wanted. */
  readonly tenMinutes: Map<number, number> | undefined
}

/** Gathers what the summary and the page need besides the alerts. */
export type UsageBook = {
  readonly count: (event: EngineEvent) => void
  readonly keys: () => KeyUsage[]
}

const TEN_MINUTES_SECONDS = 600

/** `drawn` keeps each key's messages of every ten minutes: memory then grows with the length of the history. */
export function createUsageBook({ drawn }: { readonly drawn: boolean }): UsageBook {
  const sources = new Map<string, { unit: UnitChoice; readonly keys: Map<string, KeyUsage> }>()
  return {
    count: (event) => {
      let source = sources.get(event.source)
      if (source === undefined) {
        source = { unit: undecidedUnit, keys: new Map() }
        sources.set(event.source, source)
      }
      let usage = source.keys.get(event.key)
      if (usage === undefined) {
        usage = newUsage(event, drawn)
        source.keys.set(event.key, usage)
      }
      usage.lastMs = event.receivedAtMs
      source.unit = chooseUnit(source.unit, event.event)
      if (!isMessage(source.unit.unit, event.event)) return
      usage.messages += 1
      if (usage.tenMinutes === undefined) return
      const cell = Math.floor(event.timestamp / TEN_MINUTES_SECONDS)
      usage.tenMinutes.set(cell, (usage.tenMinutes.get(cell) ?? 0) + 1)
    },
    keys: () => [...sources.values()].flatMap(({ keys }) => [...keys.values()]),
  }
}

function newUsage({ source, key, receivedAtMs }: EngineEvent, drawn: boolean): KeyUsage {
  return {
    source,
    key,
    firstMs: receivedAtMs,
    lastMs: receivedAtMs,
    messages: 0,
    tenMinutes: drawn ? new Map() : undefined,
  }
}

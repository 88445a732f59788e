import type { Config } from '#shared/config/config.ts'
import {
  configuredKnowledge,
  detectionSettingsOf,
  keySettingsOf,
} from '#shared/config/detection-settings-of.ts'
import { dayOf } from '#shared/detection/clock.ts'
import { createDetectionEngine, type DetectionEngine } from '#shared/detection/detection-engine.ts'
import type { DetectionSettings } from '#shared/detection/detection-settings.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'
import { createErrorBudget } from '#shared/detection/error-budget.ts'
import type { KeyDescription } from '#shared/detection/explain-key.ts'
import { createKnowledgeBook } from '#shared/detection/knowledge-book.ts'
import { volumeEvents } from '#shared/detection/volume/volume-unit.ts'
import { EVERY, type Alert } from '#shared/domain/alert.ts'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { loadKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { partitionClock, type ClockStep } from '#shared/warehouse/partition-clock-store.ts'
import {
  countLiveKeys,
  keyPartitions,
  keyText,
  loadSources,
  type KeyName,
} from '#shared/warehouse/usage-store.ts'
import { readPast, type PastBasis } from './read-past.ts'

/** Which key, and when. */
export type MomentWanted = KeyName & {
  /** Milliseconds: everything that arrived until then is taken in. */
  readonly atMs: number
  /** Stops earlier, where the engine says this of this alert. */
  readonly alert?: Pick<Alert, 'alert_id' | 'severity'> | undefined
}

/** What the engine thinks of a key at one moment, worked out again. */
export type KeyAtMoment = {
  readonly atMs: number
  /** Undefined: nothing is stored of the key that is so old. */
  readonly key: KeyDescription | undefined
  /** The alert as the engine raised it now; undefined where it did not. */
  readonly raised: Alert | undefined
  readonly basis: PastBasis
  /** What people had stated about the key by then. */
  readonly knowledge: readonly Knowledge[]
  /** Keys that share the detector's allowance of false pages. */
  readonly liveKeys: number
}

const DAY_MS = 24 * 3600 * 1000
/** Keys count as live that sent in the last week: a detector holds those that it has met. */
const LIVE_DAYS = 7
/** The engine remembers a source's pauses for a fortnight. */
const CLOCK_DAYS = 15
/** Stands for the other keys of the source, of which only the times of their messages matter. No key can be named so. */
const OTHERS = '\u0000others'

/** Brings one key's state to a moment, as the detector would, and answers what the engine thinks of it. */
export async function keyAtMoment(
  client: ClickHouseClient,
  config: Config,
  wanted: MomentWanted,
): Promise<KeyAtMoment> {
  const { source, key, atMs } = wanted
  const facts = [...configuredKnowledge(config), ...(await loadKnowledge(client))].filter(
    (item) => item.revoked === false && Date.parse(item.created_at) <= atMs,
  )
  const liveKeys = await countLiveKeys(client, Math.floor((atMs - LIVE_DAYS * DAY_MS) / 1000))
  const settings = settingsAt(config, atMs, liveKeys)
  let found: Pick<KeyAtMoment, 'key' | 'raised'> | undefined
  const engine = createDetectionEngine(
    settings,
    (alert) => {
      if (found === undefined && isMeant(alert, wanted))
        found = { key: engine.describe(source, key), raised: alert }
    },
    keySettingsOf(config, settings),
  )
  const loaded = await loadSources(client, Math.floor(atMs / 1000))
  const stored = loaded.find((known) => known.source === source)
  if (stored !== undefined) engine.loadSource(stored)
  const past = await readPast(client, engine, wanted)
  const types = volumeEvents[stored?.unit ?? 'processed']
  const steps = await stepsOf(client, wanted, types)
  const clock = createClock(engine, { source, event: types[0] ?? 'processed', steps, facts })
  let events = 0
  for await (const piece of past.events) {
    for (const event of piece) {
      if (found !== undefined) break
      if (event.receivedAtMs > atMs) continue
      clock.advance(event.receivedAtMs)
      engine.feed(event)
      events += 1
    }
    if (found !== undefined) break
  }
  if (found === undefined) clock.advance(atMs)
  return {
    atMs,
    ...(found ?? { key: engine.describe(source, key), raised: undefined }),
    basis: { ...past.basis, events },
    knowledge: facts.filter((item) => (item.source === source || item.source === EVERY) && item.key === key),
    liveKeys,
  }
}

function isMeant(alert: Alert, { alert: meant }: MomentWanted): boolean {
  return alert.alert_id === meant?.alert_id && alert.status === 'open' && alert.severity === meant.severity
}

/** The detector shares its allowance among the keys of a partition; here is only one, so the share is set. */
function settingsAt(config: Config, atMs: number, liveKeys: number): DetectionSettings {
  const settings = detectionSettingsOf(config)
  const budget = createErrorBudget({ falsePagesPerKeyYear: 365 / settings.pageEveryDays })
  const ofPartition = Math.max(1, Math.round(liveKeys / config.event_log.partitions))
  const shared = budget.limitDays(dayOf(atMs / 1000), ofPartition)
  return { ...settings, pageEveryDays: Math.max(settings.pageEveryDays, shared) }
}

async function stepsOf(
  client: ClickHouseClient,
  { source, key, atMs }: MomentWanted,
  events: readonly string[],
): Promise<ClockStep[]> {
  const partitions = await keyPartitions(client, [{ source, key }], Math.floor(atMs / 1000))
  const partition = partitions.get(keyText({ source, key }))
  if (partition === undefined) return []
  const span = { fromMs: atMs - CLOCK_DAYS * DAY_MS, untilMs: atMs }
  return partitionClock(client, { source, key }, { partition, events, ...span })
}

/** Lets pass what happened around the key: other keys' messages, and what people stated, each in its time. */
function createClock(
  engine: Pick<DetectionEngine, 'feed' | 'tick' | 'setKnowledge'>,
  given: {
    readonly source: string
    readonly event: string
    readonly steps: readonly ClockStep[]
    readonly facts: readonly Knowledge[]
  },
) {
  const { source, event, steps } = given
  const facts = given.facts.toSorted(
    (left, right) => Date.parse(left.created_at) - Date.parse(right.created_at),
  )
  let step = 0
  let stated = 0
  return {
    advance: (nowMs: number) => {
      for (
        let next = steps[step];
        next !== undefined && next.arrivalMinute * 60_000 <= nowMs;
        next = steps[step]
      ) {
        engine.feed(messageOfOthers({ source, event }, next))
        step += 1
      }
      const before = stated
      for (
        let next = facts[stated];
        next !== undefined && Date.parse(next.created_at) <= nowMs;
        next = facts[stated]
      ) {
        stated += 1
      }
      engine.tick(nowMs)
      if (stated > before) engine.setKnowledge(createKnowledgeBook(facts.slice(0, stated)))
    },
  }
}

function messageOfOthers(
  of: Pick<EngineEvent, 'source' | 'event'>,
  { arrivalMinute, eventMinute }: ClockStep,
): EngineEvent {
  return {
    ...of,
    key: OTHERS,
    timestamp: eventMinute * 60,
    receivedAtMs: arrivalMinute * 60_000,
    attribution: '',
  }
}

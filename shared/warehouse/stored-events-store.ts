import type { EngineEvent } from '#shared/detection/engine-input.ts'
import type { ClickHouseClient } from './client.ts'
import { factsOf } from './engine-facts.ts'
import type { Checkpoint } from './key-state-store.ts'
import { namesInGroups } from './key-names.ts'
import { readFlag, readNumber, readText, readTexts } from './row-cells.ts'
import { sqlFile } from './sql-file.ts'
import { statementValue } from './statement-value.ts'
import type { KeyName } from './usage-store.ts'

const EVENTS_SINCE_CHECKPOINTS = sqlFile('events-since-checkpoints')
const EVENTS_OF_KEYS = sqlFile('events-of-keys')
const KEY_EVENT_COUNTS = sqlFile('key-event-counts')

/** A block whose events may be stored already, in part, and will be given to the engine as new ones. */
export type PendingBlock = {
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** The earliest arrival among its events, milliseconds: tells it from a block of a log that was there before. */
  readonly arrivedFromMs: number
}

/** A key whose state is in memory up to a checkpoint. */
export type HeldKey = KeyName & { readonly checkpoint: Checkpoint }

const HELD_PER_QUERY = 1000
/**
 * An event that is stored after a checkpoint may have happened so long before it: SendGrid delivers again for a day,
 * and then it may lie in the log for a week.
 */
const LATE_SECONDS = 8 * 24 * 3600
/** An event may lie behind the checkpoint in the log and yet have arrived before it: appends overtake one another. */
const OVERTAKEN_MS = 10 * 60_000

/**
 * The stored events of some keys that their checkpoints do not hold, key by key in order of arrival, in pieces of a few
 * thousand. Together with the checkpoint they are everything that is stored, but for `pending`.
 */
export async function* eventsSince(
  client: ClickHouseClient,
  keys: readonly HeldKey[],
  pending?: PendingBlock,
): AsyncGenerator<readonly EngineEvent[], void, void> {
  // Keys of about the same age together, so that the oldest of a statement makes it read little for the others.
  const byAge = keys.toSorted(
    (left, right) => right.checkpoint.arrivedUntilMs - left.checkpoint.arrivedUntilMs,
  )
  for (const group of namesInGroups(byAge, HELD_PER_QUERY)) {
    const oldestMs = group.reduce((ms, { checkpoint }) => Math.min(ms, checkpoint.arrivedUntilMs), Infinity)
    yield* rowsOf(client, {
      sql: withNames(EVENTS_SINCE_CHECKPOINTS, group).replace(
        'HELD_BASE64',
        statementValue(
          group.map(({ source, key, checkpoint: { partition, logOffset, arrivedUntilMs } }) => [
            source,
            key,
            partition,
            logOffset,
            arrivedUntilMs,
          ]),
        ),
      ),
      params: {
        ...pendingParams(pending),
        from: Math.max(0, Math.floor(oldestMs / 1000) - LATE_SECONDS),
        arrivedFromMs: Math.max(0, oldestMs - OVERTAKEN_MS),
      },
    })
  }
}

/** What the engine is to learn from where there is no checkpoint. */
export type PastWanted = {
  /** Seconds since the epoch. */
  readonly fromSeconds: number
  /** About so many of each key's newest events: whole hours until there are as many. */
  readonly eventsPerKeyMax: number
  /** Milliseconds: only what arrived until then; everything unless given. */
  readonly arrivedUntilMs?: number | undefined
  readonly pending?: PendingBlock | undefined
}

const PAST_KEYS_PER_QUERY = 200
/** Rows that one statement sorts. */
const PAST_EVENTS_PER_QUERY = 500_000
const HOUR_SECONDS = 3600

/** The stored events of keys without a checkpoint, key by key in order of arrival, in pieces of a few thousand. */
export async function* pastEvents(
  client: ClickHouseClient,
  keys: readonly KeyName[],
  wanted: PastWanted,
): AsyncGenerator<readonly EngineEvent[], void, void> {
  for (const names of namesInGroups(keys, PAST_KEYS_PER_QUERY)) {
    const counts = await countEvents(client, names, wanted)
    for (const { fromSeconds, group } of inStatements(counts, wanted)) {
      yield* rowsOf(client, {
        sql: withNames(EVENTS_OF_KEYS, group),
        params: { ...pendingParams(wanted.pending), from: fromSeconds, untilMs: untilMsOf(wanted) },
      })
    }
  }
}

/** The last time that ClickHouse's DateTime holds. */
const LATEST_MS = (2 ** 32 - 1) * 1000

function untilMsOf({ arrivedUntilMs = LATEST_MS }: PastWanted): number {
  return Math.min(LATEST_MS, Math.floor(arrivedUntilMs))
}

type KeyCount = KeyName & { readonly fromSeconds: number; readonly events: number }

async function countEvents(
  client: ClickHouseClient,
  names: readonly KeyName[],
  wanted: PastWanted,
): Promise<KeyCount[]> {
  const result = await client.query({
    query: withNames(KEY_EVENT_COUNTS, names),
    query_params: {
      from: Math.max(0, Math.floor(wanted.fromSeconds / HOUR_SECONDS) * HOUR_SECONDS),
      until: Math.floor(untilMsOf(wanted) / 1000),
      enough: wanted.eventsPerKeyMax,
    },
    format: 'JSONCompactEachRow',
  })
  const rows: unknown[] = await result.json()
  return rows.map((cells) => {
    if (!Array.isArray(cells)) throw new TypeError('a row is an array')
    return {
      source: readText(cells[0]),
      key: readText(cells[1]),
      fromSeconds: readNumber(cells[2]),
      events: readNumber(cells[3]),
    }
  })
}

/**
 * Keys that one statement can read: those of which everything is wanted together, as long as they are not too many
 * events; one that has more than is wanted by itself, from where enough of it begins.
 */
function* inStatements(
  counts: readonly KeyCount[],
  wanted: PastWanted,
): Generator<{ readonly fromSeconds: number; readonly group: readonly KeyCount[] }, void, void> {
  const fromSeconds = Math.max(0, wanted.fromSeconds)
  let group: KeyCount[] = []
  let events = 0
  for (const count of counts) {
    if (count.events >= wanted.eventsPerKeyMax) {
      yield { fromSeconds: Math.max(fromSeconds, count.fromSeconds), group: [count] }
      continue
    }
    if (group.length > 0 && events + count.events > PAST_EVENTS_PER_QUERY) {
      yield { fromSeconds, group }
      group = []
      events = 0
    }
    group.push(count)
    events += count.events
  }
  if (group.length > 0) yield { fromSeconds, group }
}

function withNames(sql: string, keys: readonly KeyName[]): string {
  return sql.replace('KEYS_BASE64', statementValue(keys.map(({ source, key }) => [source, key])))
}

function pendingParams(pending: PendingBlock | undefined) {
  return {
    pendingPartition: pending?.partition ?? 0,
    // Without a block the range is empty.
    firstOffset: pending?.firstOffset ?? 1,
    lastOffset: pending?.lastOffset ?? 0,
    pendingFromMs: pending?.arrivedFromMs ?? 0,
  }
}

async function* rowsOf(
  client: ClickHouseClient,
  question: { readonly sql: string; readonly params: Readonly<Record<string, number>> },
): AsyncGenerator<readonly EngineEvent[], void, void> {
  const result = await client.query({
    query: question.sql,
    query_params: question.params,
    format: 'JSONCompactEachRow',
  })
  try {
    for await (const rows of result.stream()) yield rows.map((row) => eventOf(row.json()))
  } finally {
    result.close()
  }
}

/** Reads a stored event from its cells; a statement that asks for more has it behind these columns. */
export function eventOf(cells: unknown): EngineEvent {
  if (!Array.isArray(cells)) throw new TypeError('a row is an array')
  return {
    source: readText(cells[0]),
    key: readText(cells[1]),
    event: readText(cells[2]),
    timestamp: readNumber(cells[3]),
    receivedAtMs: readNumber(cells[4]),
    attribution: readText(cells[5]),
    facts: factsOf({
      recipient_hash: readText(cells[6]),
      recipient_domain: readText(cells[7]),
      fingerprint: readText(cells[8]),
      smtp_id: readText(cells[9]),
      template_id: readText(cells[10]),
      categories: readTexts(cells[11]),
      pool: readText(cells[12]),
      marketing_campaign_id: readText(cells[13]),
      url: readText(cells[14]),
      bounce_classification: readText(cells[15]),
      machine_open: readFlag(cells[16]),
    }),
  }
}

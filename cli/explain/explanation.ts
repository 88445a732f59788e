import { z } from 'zod'
import type { Config } from '#shared/config/config.ts'
import { EVERY, type Alert, type Signal } from '#shared/domain/alert.ts'
import { describeNumber } from '#shared/domain/number-text.ts'
import { changesOfAlert } from '#shared/warehouse/alert-history-store.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { keyActivity, keyText, type KeyName } from '#shared/warehouse/usage-store.ts'
import { findIncident } from '../alerts/one-incident.ts'
import type { Incident } from '../alerts/incident.ts'
import { shortTime } from '../output/table.ts'
import { keyAtMoment, type KeyAtMoment } from './key-at-moment.ts'
import { PAST_EVENTS_MAX } from './read-past.ts'

/** Why there is an alert, or what the engine thought of a key at a time. */
export type Explanation = {
  readonly alert: Incident['alerts'][number] | null
  /** Its state changes, the first one first. */
  readonly changes: readonly Alert[]
  /** The change that is worked out again: the one that first woke somebody, or else the first one. */
  readonly told: Alert | null
  /** Signals of the same incident. */
  readonly others: readonly Signal[]
  /** Null for an alert that is not about what one key does. */
  readonly moment: KeyAtMoment | null
  /** In what the engine now differs from what was stored; null where there is nothing to compare. */
  readonly differences: readonly string[] | null
  /** What was not to be had for working it out again. */
  readonly gaps: readonly string[]
}

/** Signals that are not judged by a key's own state. */
const NOT_OF_A_KEY: ReadonlySet<Signal> = new Set([
  'key.new',
  'key.overflow',
  'fleet.shift',
  'source.silent',
  'pipeline.lag',
  'pipeline.test',
  'account.status_changed',
  'schema.unknown_field',
])

/** Throws as `findIncident` does where the id is no alert's. */
export async function explainAlert(
  client: ClickHouseClient,
  config: Config,
  id: string,
): Promise<Explanation> {
  const { alerts } = await findIncident(client, id)
  const [alert] = alerts
  if (alert === undefined) throw new Error('an incident has alerts')
  const changes = await changesOfAlert(client, alert.alert_id)
  const told = wakingChange(changes) ?? alert
  const incident = await findIncident(client, alert.incident_id)
  const stored = {
    alert,
    changes,
    told,
    others: incident.alerts.flatMap((other) => (other.alert_id === alert.alert_id ? [] : [other.signal])),
  }
  if (NOT_OF_A_KEY.has(alert.signal) || alert.key === EVERY) {
    return { ...stored, moment: null, differences: null, gaps: [] }
  }
  const { source, key } = alert
  const moment = await keyAtMoment(client, config, {
    source,
    key,
    atMs: Date.parse(told.changed_at),
    alert: told,
  })
  return {
    ...stored,
    moment,
    differences: differencesOf(told, moment),
    gaps: await gapsOf(client, config, moment, { source, key }),
  }
}

/** What the engine thought of a key at a time, milliseconds. */
export async function explainKey(
  client: ClickHouseClient,
  config: Config,
  wanted: KeyName & { readonly atMs: number },
): Promise<Explanation> {
  const moment = await keyAtMoment(client, config, wanted)
  const gaps = await gapsOf(client, config, moment, wanted)
  return { alert: null, changes: [], told: null, others: [], moment, differences: null, gaps }
}

/** The change that first woke somebody, or else the first one. */
function wakingChange(changes: readonly Alert[]): Alert | undefined {
  return changes.find(({ status, severity }) => status === 'open' && severity !== 'info') ?? changes[0]
}

const scoreSchema = z.object({ incident_score: z.object({ total: z.number(), limit: z.number() }) })

/** The sum of points and the limit that an alert of a key was stored with. */
export function storedScore(alert: Alert): { readonly total: number; readonly limit: number } | undefined {
  return scoreSchema.safeParse(alert.evidence).data?.incident_score
}

/** Below this two scores are the same on any screen. */
const SAME = 0.01

/** What is not as it was stored, one clause each. */
export function differencesOf(told: Alert, { raised, key }: Pick<KeyAtMoment, 'raised' | 'key'>): string[] {
  if (raised === undefined) {
    const score = key === undefined ? '' : `; the score was ${describeNumber(rounded(key.score.total))}`
    return [`worked out again, the engine does not give this alert as ${told.severity}${score}`]
  }
  const before = storedScore(told)
  const now = storedScore(raised)
  return [
    difference('score', before?.total, now?.total),
    difference('limit', before?.limit, now?.limit),
    difference(`points of ${told.signal}`, told.score, raised.score),
    difference('observed', told.observed, raised.observed),
    difference('messages before the alarm', told.messages_before_alarm, raised.messages_before_alarm),
    told.changed_at === raised.changed_at
      ? []
      : [`time: stored ${told.changed_at}, now ${raised.changed_at}`],
  ].flat()
}

function difference(what: string, before: number | undefined, now: number | undefined): string[] {
  if (before === undefined || now === undefined || Math.abs(before - now) < SAME) return []
  return [`${what}: stored ${describeNumber(before)}, now ${describeNumber(now)}`]
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

const DAY_MS = 24 * 3600 * 1000

async function gapsOf(
  client: ClickHouseClient,
  config: Config,
  { basis, atMs }: KeyAtMoment,
  named: KeyName,
): Promise<string[]> {
  if (basis.savedUntilMs !== undefined) return []
  const gaps: string[] = []
  const keptDays = config.warehouse.raw_retention_days
  const oldestMs = Date.now() - keptDays * DAY_MS
  if (oldestMs > basis.fromMs) {
    const days = Math.max(0, Math.floor((atMs - oldestMs) / DAY_MS))
    gaps.push(
      `raw events are kept for ${keptDays} days, so that ${days === 0 ? 'none are left of the time' : `only ${days} days are left of the time`} before the moment`,
    )
  }
  if (basis.events >= PAST_EVENTS_MAX) {
    gaps.push(`only the newest ${describeNumber(PAST_EVENTS_MAX)} events or so were read, by whole hours`)
  }
  const activity = (await keyActivity(client, [named])).get(keyText(named))
  if (activity !== undefined && activity.firstSeen * 1000 < Math.max(oldestMs, basis.fromMs)) {
    gaps.push(
      `the key sends since ${shortTime(new Date(activity.firstSeen * 1000).toISOString())}: a detector that ran for ` +
        'longer than 35 days also remembers the largest scores and the values of up to 60 days',
    )
  }
  return gaps
}

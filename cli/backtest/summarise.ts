import { severities, type Severity, type Signal } from '#shared/domain/alert.ts'
import type { FileBacktest } from './backtest-file.ts'
import { incidentsOf, type AlertChange } from './incidents.ts'
import type { AttackOutcome, Judgement } from './judge-alerts.ts'
import type { KeyUsage } from './key-usage.ts'
import { families, type Family } from './labels.ts'

type BySeverity = Readonly<Record<Severity, number>>

/** What a run found, in numbers. */
export type Summary = {
  readonly events: number
  readonly duplicates: number
  readonly bad_lines: number
  readonly keys: number
  readonly from: string
  readonly to: string
  /** Weeks of all keys together, each from its first event to its last. */
  readonly key_weeks: number
  /** Incidents by the highest severity that they reached, and per key-week. */
  readonly incidents: BySeverity
  readonly incidents_per_key_week: BySeverity
  /** Alerts of each signal by the highest severity that they reached. */
  readonly signals: readonly ({ readonly signal: Signal; readonly per_key_week: number } & BySeverity)[]
  readonly judgement?: JudgementSummary
}

export type FamilySummary = {
  readonly family: Family | 'all'
  readonly attacks: number
  readonly found: number
  /** Of those found, how many the first three signals name rightly. */
  readonly named: number
  /** Of those found: messages out before the alarm, and seconds from the first message to it. */
  readonly messages_median: number | null
  readonly messages_p90: number | null
  readonly seconds_median: number | null
}

export type JudgementSummary = {
  readonly families: readonly FamilySummary[]
  /** Of attacks whose scenario is a blast, those found: the longest time from the first message to the alarm. */
  readonly blast_seconds_max: number | null
  readonly missed: readonly { readonly scenario: string; readonly source: string; readonly key: string }[]
  readonly alarms: readonly {
    readonly scenario: string
    readonly source: string
    readonly key: string
    readonly alarm_at: string
    readonly messages_before: number
    readonly seconds: number
    readonly signals: readonly Signal[]
    readonly named: boolean
  }[]
  readonly false_alarms: readonly {
    readonly incident_id: string
    readonly source: string
    readonly key: string
    readonly alarm_at: string
    readonly signals: readonly Signal[]
  }[]
  readonly look_alikes: number
  readonly look_alikes_paged: readonly {
    readonly scenario: string
    readonly key: string
    readonly incidents: number
  }[]
  readonly false_incidents: number
  readonly key_years: number
  readonly false_per_key_year: number
  /** The same without the first two weeks, in which every key is new. */
  readonly false_incidents_settled: number
  readonly key_years_settled: number
  readonly false_per_key_year_settled: number
}

/** What a summary needs of a run. */
export type SummarisedRun = Pick<FileBacktest, 'events' | 'duplicates' | 'badLines' | 'fromMs' | 'toMs'> & {
  readonly changes: readonly AlertChange[]
  readonly keys: readonly Pick<KeyUsage, 'firstMs' | 'lastMs'>[]
}

const WEEK_MS = 7 * 86_400_000

export function summarise(run: SummarisedRun, judgement?: Judgement): Summary {
  const keyWeeks = run.keys.reduce((sum, { firstMs, lastMs }) => sum + lastMs - firstMs, 0) / WEEK_MS
  const incidents = countBySeverity(incidentsOf(run.changes).map(({ severity }) => severity))
  const alerts = highestByAlert(run.changes)
  const signals = [...new Set(alerts.map(({ signal }) => signal))].toSorted()
  return {
    events: run.events,
    duplicates: run.duplicates,
    bad_lines: run.badLines,
    keys: run.keys.length,
    from: new Date(run.fromMs).toISOString(),
    to: new Date(run.toMs).toISOString(),
    key_weeks: rounded(keyWeeks),
    incidents,
    incidents_per_key_week: {
      info: perWeek(incidents.info, keyWeeks),
      warning: perWeek(incidents.warning, keyWeeks),
      critical: perWeek(incidents.critical, keyWeeks),
    },
    signals: signals.map((signal) => {
      const own = alerts.filter((alert) => alert.signal === signal)
      return {
        signal,
        per_key_week: perWeek(own.length, keyWeeks),
        ...countBySeverity(own.map(({ severity }) => severity)),
      }
    }),
    ...(judgement === undefined ? {} : { judgement: summariseJudgement(judgement) }),
  }
}

function highestByAlert(changes: readonly AlertChange[]): { signal: Signal; severity: Severity }[] {
  const highest = new Map<string, { signal: Signal; severity: Severity }>()
  for (const { alert_id, signal, severity } of changes) {
    const known = highest.get(alert_id)
    if (known === undefined) highest.set(alert_id, { signal, severity })
    else if (severities.indexOf(severity) > severities.indexOf(known.severity)) known.severity = severity
  }
  return [...highest.values()]
}

function countBySeverity(found: readonly Severity[]): BySeverity {
  const count = (severity: Severity) => found.filter((one) => one === severity).length
  return { info: count('info'), warning: count('warning'), critical: count('critical') }
}

function summariseJudgement(judgement: Judgement): JudgementSummary {
  const { attacks, lookAlikes, falseIncidents, falseIncidentsSettled, keyYears, keyYearsSettled } = judgement
  const present = families.filter((family) => attacks.some(({ label }) => label.family === family))
  const blasts = attacks.flatMap(({ label, seconds }) =>
    label.scenario.startsWith('blast') && seconds !== undefined ? [seconds] : [],
  )
  return {
    families: [
      ...present.map((family) =>
        familySummary(
          family,
          attacks.filter(({ label }) => label.family === family),
        ),
      ),
      familySummary('all', attacks),
    ],
    blast_seconds_max: blasts.length === 0 ? null : Math.max(...blasts),
    missed: attacks
      .filter(({ alarmAt }) => alarmAt === undefined)
      .map(({ label: { scenario, source, key } }) => ({ scenario, source, key })),
    alarms: attacks.flatMap(({ label, alarmAt, seconds, messagesBefore, signals, named }) =>
      alarmAt === undefined || seconds === undefined
        ? []
        : [
            {
              scenario: label.scenario,
              source: label.source,
              key: label.key,
              alarm_at: alarmAt,
              messages_before: messagesBefore,
              seconds,
              signals,
              named,
            },
          ],
    ),
    false_alarms: falseIncidents.map(({ incidentId, source, key, alarmMs, signals }) => ({
      incident_id: incidentId,
      source,
      key,
      alarm_at: new Date(alarmMs ?? 0).toISOString(),
      signals,
    })),
    look_alikes: lookAlikes.length,
    look_alikes_paged: lookAlikes
      .filter(({ incidentIds }) => incidentIds.length > 0)
      .map(({ label, incidentIds }) => ({
        scenario: label.scenario,
        key: label.key,
        incidents: incidentIds.length,
      })),
    false_incidents: falseIncidents.length,
    key_years: rounded(keyYears),
    false_per_key_year: rounded(falseIncidents.length / keyYears),
    false_incidents_settled: falseIncidentsSettled,
    key_years_settled: rounded(keyYearsSettled),
    false_per_key_year_settled: rounded(falseIncidentsSettled / keyYearsSettled),
  }
}

function familySummary(family: Family | 'all', attacks: readonly AttackOutcome[]): FamilySummary {
  const found = attacks.filter(({ alarmAt }) => alarmAt !== undefined)
  const messages = found.map(({ messagesBefore }) => messagesBefore)
  const seconds = found.flatMap((attack) => attack.seconds ?? [])
  return {
    family,
    attacks: attacks.length,
    found: found.length,
    named: found.filter(({ named }) => named).length,
    messages_median: quantile(messages, 0.5),
    messages_p90: quantile(messages, 0.9),
    seconds_median: quantile(seconds, 0.5),
  }
}

/** The smallest value that this share of the values does not exceed; null without values. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}

function perWeek(count: number, weeks: number): number {
  return weeks > 0 ? rounded(count / weeks) : 0
}

/** Three digits; a rate over no time at all is 0. */
function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : 0
}

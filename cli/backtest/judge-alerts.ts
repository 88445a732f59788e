import { EVERY, OVERFLOW, UNATTRIBUTED, type Signal } from '#shared/domain/alert.ts'
import { incidentsOf, type Alarm, type AlertChange, type Incident } from './incidents.ts'
import type { Family, Label } from './labels.ts'

/** What was judged, besides the alerts. */
export type JudgeInput = {
  readonly labels: readonly Label[]
  /** In the order in which they became true. */
  readonly changes: readonly AlertChange[]
  /** Event time of a labelled message, seconds; undefined where it is not among the events. */
  readonly timeOf: (messageId: string) => number | undefined
  readonly keys: readonly { readonly key: string; readonly firstMs: number; readonly lastMs: number }[]
  /** The first arrival, milliseconds. */
  readonly fromMs: number
}

/** What became of one attack. */
export type AttackOutcome = {
  readonly label: Label
  readonly incidentId: string | undefined
  /** When people were told, ISO 8601. */
  readonly alarmAt: string | undefined
  readonly signals: readonly Signal[]
  /** Whether one of the first three signals is of the right kind. */
  readonly named: boolean
  /** Its messages whose event time is not after the alarm; all of them where it was missed. */
  readonly messagesBefore: number
  /** From its first message to the alarm. */
  readonly seconds: number | undefined
}

export type Judgement = {
  readonly attacks: readonly AttackOutcome[]
  /** Look-alikes, with the incidents that paged for them. */
  readonly lookAlikes: readonly { readonly label: Label; readonly incidentIds: readonly string[] }[]
  /** Incidents at `warning` or higher that match no attack. */
  readonly falseIncidents: readonly Incident[]
  /** The same after the first two weeks, in which every key is new. */
  readonly falseIncidentsSettled: number
  readonly keyYears: number
  readonly keyYearsSettled: number
}

/** An attack is found as long as it goes on, and for so long after. */
const GRACE_MS = 10 * 60_000
const SETTLING_MS = 14 * 86_400_000
const YEAR_MS = 365.25 * 86_400_000
/** On call reads an incident's first lines. */
const SIGNALS_READ = 3

/**
 * Compares alerts with what really happened (detection measures: attacks found and named, messages that got out,
 * false incidents per key-year, look-alikes that paged).
 *
 * An attack is found by an incident that reached `warning` between the attack's start and ten minutes after its end
 * on the attack's key, the key it is attributed to, `unattributed` or `overflow` of its source, the whole source, or the
 * fleet. A key's time counts from its first event to its last, so that names which somebody makes up by the hundred
 * add none; keys without a name do not count.
 */
export function judgeAlerts(input: JudgeInput): Judgement {
  const incidents = incidentsOf(input.changes).filter(({ alarmMs }) => alarmMs !== undefined)
  const attacks = input.labels.filter(({ kind }) => kind === 'attack')
  const isFalse = (incident: Incident) => !attacks.some((label) => alarmFor(label, incident) !== undefined)
  const falseIncidents = incidents.filter(isFalse)
  const settledMs = input.fromMs + SETTLING_MS
  return {
    attacks: attacks.map((label) => outcomeOf(label, incidents, input.timeOf)),
    lookAlikes: input.labels
      .filter(({ kind }) => kind === 'benign')
      .map((label) => ({
        label,
        incidentIds: falseIncidents
          .filter((incident) => pagedFor(label, incident))
          .map(({ incidentId }) => incidentId),
      })),
    falseIncidents,
    falseIncidentsSettled: falseIncidents.filter(({ alarmMs }) => (alarmMs ?? 0) >= settledMs).length,
    keyYears: keyYears(input, input.fromMs),
    keyYearsSettled: keyYears(input, settledMs),
  }
}

function keyYears({ keys }: JudgeInput, sinceMs: number): number {
  const named = keys.filter(({ key }) => key !== UNATTRIBUTED && key !== OVERFLOW)
  return (
    named.reduce((sum, { firstMs, lastMs }) => sum + Math.max(0, lastMs - Math.max(firstMs, sinceMs)), 0) /
    YEAR_MS
  )
}

/** The first alarm of the incident that tells of this attack, if the incident's first alarm is one. */
function alarmFor(label: Label, incident: Incident): Alarm | undefined {
  if (!isDuring(label, incident.alarmMs)) return undefined
  return incident.alarms.find((alarm) => isDuring(label, alarm.atMs) && isRightPlace(label, alarm))
}

function isDuring(label: Label, atMs: number | undefined): boolean {
  if (atMs === undefined) return false
  return atMs >= Date.parse(label.started_at) && atMs <= Date.parse(label.ended_at) + GRACE_MS
}

function isRightPlace(label: Label, { source, key }: Alarm): boolean {
  if (source === EVERY) return true
  return placesOf(label).some(
    (place) =>
      isSourceOf(place, source) &&
      (isKeyOf(place, key) || key === UNATTRIBUTED || key === OVERFLOW || key === EVERY),
  )
}

type Place = Pick<Label, 'source' | 'key' | 'attributed_as'>

function placesOf(label: Label): readonly Place[] {
  return label.targets.length > 0 ? label.targets : [label]
}

function isSourceOf(place: Place, source: string): boolean {
  return place.source === source || place.source === EVERY
}

/** A label on every key, or attributed to any number of them, is about each. */
function isKeyOf(place: Place, key: string): boolean {
  return (
    key === place.key || key === place.attributed_as || place.key === EVERY || place.attributed_as === EVERY
  )
}

/** A page for a look-alike is one on its own key, its source or the fleet. */
function pagedFor(label: Label, { alarms }: Incident): boolean {
  return alarms.some(
    ({ source, key, atMs }) =>
      isDuring(label, atMs) &&
      (source === EVERY ||
        placesOf(label).some((place) => isSourceOf(place, source) && (isKeyOf(place, key) || key === EVERY))),
  )
}

function outcomeOf(
  label: Label,
  incidents: readonly Incident[],
  timeOf: JudgeInput['timeOf'],
): AttackOutcome {
  const found = incidents
    .flatMap((incident) => {
      const alarm = alarmFor(label, incident)
      return alarm === undefined ? [] : [{ incident, alarm }]
    })
    .toSorted((left, right) => left.alarm.atMs - right.alarm.atMs)
    .at(0)
  const times = label.message_ids.flatMap((id) => timeOf(id) ?? [])
  if (found === undefined) {
    const messagesBefore = Math.max(label.messages, times.length)
    return {
      label,
      incidentId: undefined,
      alarmAt: undefined,
      signals: [],
      named: false,
      messagesBefore,
      seconds: undefined,
    }
  }
  const { incident, alarm } = found
  const startMs = times.reduce((first, seconds) => Math.min(first, seconds * 1000), Infinity)
  const fromMs = Number.isFinite(startMs) ? startMs : Date.parse(label.started_at)
  return {
    label,
    incidentId: incident.incidentId,
    alarmAt: new Date(alarm.atMs).toISOString(),
    signals: incident.signals,
    named: incident.signals.slice(0, SIGNALS_READ).some((signal) => names(label, signal)),
    messagesBefore: times.filter((seconds) => seconds * 1000 <= alarm.atMs).length,
    seconds: Math.max(0, (alarm.atMs - fromMs) / 1000),
  }
}

function names(label: Label, signal: Signal): boolean {
  return label.signals.includes(signal) || familyOf(signal) === label.family
}

/** What kind of misuse a signal speaks of; undefined for those that speak of none. */
export function familyOf(signal: Signal): Family | undefined {
  if (signal.startsWith('volume.')) return 'volume'
  if (signal === 'novelty.url_domain' || signal.startsWith('rate.')) return 'outcome'
  if (signal.startsWith('novelty.')) return 'sender'
  if (signal.startsWith('mix.')) return 'audience'
  if (signal === 'key.unattributed') return 'unattributed'
  if (signal.startsWith('key.')) return 'key'
  if (signal.startsWith('fleet.')) return 'fleet'
  return signal.startsWith('source.') ? 'source' : undefined
}

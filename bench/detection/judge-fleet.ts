import type { Alert } from '#shared/domain/alert.ts'
import type { AlertChange, Incident } from '../../cli/backtest/incidents.ts'
import { judgeAlerts, type Judgement } from '../../cli/backtest/judge-alerts.ts'
import { createUsageBook } from '../../cli/backtest/key-usage.ts'
import type { Label } from '../../cli/backtest/labels.ts'
import { createMessageTimes } from '../../cli/backtest/message-times.ts'
import { createEventReader } from '../../cli/backtest/read-event.ts'
import { createReplay } from '../../cli/backtest/replay.ts'
import { createSeenEvents } from '../../cli/backtest/seen-events.ts'
import type { Fleet } from '../../cli/simulator/scenarios/compose-fleet.ts'
import { generateFleet, type FleetOptions } from '../../cli/simulator/scenarios/generate-fleet.ts'
import { deviationBand, staticThreshold } from './baselines.ts'
import { figuresOf, type FleetFigures } from './figures.ts'
import { createHourlyBaseline } from './hourly-baseline.ts'

/** The name of the engine among the systems. */
export const ENGINE = 'Keywatch'

type OnProgress = (fraction: number, events: number) => void
/** Events between two calls of it. */
const PROGRESS_EVENTS = 20_000

/**
 * Generates a labelled fleet and gives its events, one by one, to the engine as a backtest would (nothing configured but
 * sources and attribution, nothing known of any key) and, in the same order, to the two baselines; then compares the
 * alerts of each with the labels. The same options always give the same figures.
 */
export function judgeFleet(options: FleetOptions, onProgress: OnProgress = () => undefined): FleetFigures {
  const startedMs = performance.now()
  const fleet = generateFleet(options)
  const { alerts, others, events, judge } = runSystems(fleet, onProgress)
  const own = judge(alerts)
  return {
    seed: options.seed,
    keys: options.keys,
    events,
    seconds: (performance.now() - startedMs) / 1000,
    systems: [figuresOf(ENGINE, own), ...others.map(({ name, changes }) => figuresOf(name, judge(changes)))],
    faults: faultsOf(own, alerts),
  }
}

function runSystems(fleet: Fleet, onProgress: OnProgress) {
  const read = createEventReader(fleet.config)
  const seen = createSeenEvents()
  const usage = createUsageBook({ drawn: false })
  const messageTimes = createMessageTimes(fleet.labels.flatMap(({ message_ids }) => message_ids))
  const alerts: Alert[] = []
  const replay = createReplay(fleet.config, [], (alert) => alerts.push(alert))
  const baselines = [createHourlyBaseline(staticThreshold), createHourlyBaseline(deviationBand)]
  let [clockMs, fromMs, events] = [0, 0, 0]
  for (const { received_at_ms: receivedAtMs, source, event: posted } of fleet.stream()) {
    const outcome = read({ received_at: receivedAtMs / 1000, source, event: posted }, clockMs)
    if (outcome.kind === 'bad') throw new Error(`the simulator made what is no event: ${outcome.fault}`)
    const { event, eventId, messageId } = outcome
    clockMs = event.receivedAtMs
    // What comes twice is left out for all of them: that is no question of detection.
    if (!seen.add({ source, timestamp: event.timestamp, eventId }, clockMs)) continue
    if (events === 0) fromMs = clockMs
    events += 1
    usage.count(event)
    messageTimes.add(messageId, event)
    replay.feed(event)
    for (const baseline of baselines) baseline.feed(event)
    if (events % PROGRESS_EVENTS > 0) continue
    onProgress((clockMs - fleet.startMs) / (fleet.endMs - fleet.startMs), events)
  }
  replay.finish()
  const labels = fleet.labels.map(toLabel)
  return {
    alerts,
    others: baselines.map(({ name, finish }) => ({ name, changes: finish() })),
    events,
    judge: (changes: readonly AlertChange[]) =>
      judgeAlerts({ labels, changes, timeOf: messageTimes.timeOf, keys: usage.keys(), fromMs }),
  }
}

function toLabel(label: Fleet['labels'][number]): Label {
  const { signals, targets, message_ids: ids, ...rest } = label
  return { ...rest, signals: [...signals], targets: [...targets], message_ids: [...ids] }
}

/** What went wrong, for somebody who wants to know why. */
function faultsOf({ attacks, lookAlikes, falseIncidents }: Judgement, alerts: readonly Alert[]): string[] {
  const explained = (id: string) =>
    alerts.find(({ incident_id, severity }) => incident_id === id && severity !== 'info')?.summary ?? ''
  const paging = new Set(lookAlikes.flatMap(({ incidentIds }) => incidentIds))
  return [
    ...attacks
      .filter(({ alarmAt }) => alarmAt === undefined)
      .map(({ label }) => `missed: ${placeOf(label)}, ${label.messages} messages`),
    ...attacks
      .filter(({ alarmAt, named }) => alarmAt !== undefined && !named)
      .map(({ label, signals }) => `found by another name: ${placeOf(label)}: ${signals.join(', ')}`),
    ...attacks
      .filter(({ alarmAt, messagesBefore }) => alarmAt !== undefined && messagesBefore > LATE_MESSAGES)
      .map(
        ({ label, messagesBefore, signals }) =>
          `late: ${placeOf(label)}: after ${messagesBefore} of ${label.messages} messages, by ${signals.join(', ')}`,
      ),
    ...lookAlikes
      .filter(({ incidentIds }) => incidentIds.length > 0)
      .map(({ label, incidentIds: [id = ''] }) => `paged for: ${placeOf(label)}: ${explained(id)}`),
    ...falseIncidents
      .filter(({ incidentId }) => !paging.has(incidentId))
      .map((incident) => `false: ${incidentText(incident)}: ${explained(incident.incidentId)}`),
  ]
}

/** More messages out than nine in ten attacks should need. */
const LATE_MESSAGES = 60

function placeOf({ scenario, source, key, started_at }: Label): string {
  return `${scenario} on ${source}/${key} from ${started_at.slice(0, 16)}`
}

function incidentText({ source, key, alarmMs, signals }: Incident): string {
  return `${source}/${key} at ${new Date(alarmMs ?? 0).toISOString().slice(0, 16)} by ${signals.join(', ')}`
}

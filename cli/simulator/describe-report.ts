import type { SimulationReport } from './run-simulation.ts'
import type { ScenarioLabel } from './scenarios/scenario-label.ts'

/** What a person at the terminal is told; undefined for what would only be noise. */
export function describeReport(report: SimulationReport, ingestUrl: string | undefined): string | undefined {
  switch (report.kind) {
    case 'history_progress':
    case 'delivered':
      return undefined
    case 'history_loaded':
      if (report.events === 0) return 'The history is up to date.'
      return `Loaded ${report.events.toLocaleString('en')} events of history in ${(report.tookMs / 1000).toFixed(1)} s.`
    case 'started':
      return `Simulated live traffic goes to ${ingestUrl ?? 'ingest'}.`
    case 'attack_started':
    case 'look_alike_started': {
      if (report.label.scenario !== 'stolen-key') return describeScenario(report.label)
      const { key, source, started_at: from, ended_at: to, messages } = report.label
      const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000)
      const length = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
      return `Simulation: a thief has begun to send with the stolen key ${key} (source ${source}): ${messages} messages in ${length}.`
    }
    case 'attack_ended':
    case 'look_alike_ended':
      if (report.label.scenario !== 'stolen-key') return `Simulation: ${report.label.scenario} is over.`
      return `Simulation: the thief has stopped using ${report.label.key}; ${report.label.messages} messages were sent.`
    case 'delivery_problem': {
      const { source, status, retryInMs } = report.problem
      const answer = status === undefined ? 'does not answer' : `answered ${status}`
      const hint =
        status === 401 || status === 404
          ? ': it must know the simulated sources and their public keys (keywatch simulate --help)'
          : ''
      return `Ingest ${answer} for source ${source}${hint}; posting again in ${retryInMs / 1000} s.`
    }
    default:
      return report satisfies never
  }
}

function describeScenario({ scenario, key, source, ended_at: to, messages }: ScenarioLabel): string {
  const until = to.replace('T', ' ').slice(0, 16)
  return `Simulation: ${scenario} has begun (key ${key}, source ${source}): ${messages} messages until ${until} UTC.`
}

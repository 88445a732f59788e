import { format } from 'prettier'
import { usagePerKeyDashboard } from './dashboards/usage-per-key.ts'

/** Where Grafana finds the boards, below the repository's root. */
export const DASHBOARD_FOLDER = 'grafana/provisioning/dashboards/json'

/** Every dashboard as the text of its file, by file name. */
export async function renderDashboards(): Promise<ReadonlyMap<string, string>> {
  const dashboards = new Map([['usage-per-key.json', usagePerKeyDashboard()]])
  const files = new Map<string, string>()
  for (const [name, dashboard] of dashboards) {
    files.set(name, await format(JSON.stringify(dashboard), { parser: 'json', printWidth: 110 }))
  }
  return files
}

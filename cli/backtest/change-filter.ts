import { severities, type Alert } from '#shared/domain/alert.ts'

/** Passes on the changes of alerts that people are told of. */
export type ChangeFilter = {
  readonly take: (alert: Alert) => void
  /** From now on only ends of alerts that are open count. */
  readonly acceptEndsOnly: () => void
  readonly openCount: () => number
}

/** Passes on each alert when it opens, when it rises in severity and when it ends, and nothing else of it. */
export function createChangeFilter(onChange: (alert: Alert) => void): ChangeFilter {
  /** Severity of each open alert, as its rank. */
  const open = new Map<string, number>()
  let endsOnly = false
  return {
    take: (alert) => {
      const known = open.get(alert.alert_id)
      if (alert.status === 'resolved') {
        if (open.delete(alert.alert_id)) onChange(alert)
        return
      }
      const rank = severities.indexOf(alert.severity)
      if (endsOnly || (known !== undefined && rank <= known)) return
      open.set(alert.alert_id, rank)
      onChange(alert)
    },
    acceptEndsOnly: () => {
      endsOnly = true
    },
    openCount: () => open.size,
  }
}

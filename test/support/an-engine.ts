import { alertSchema, type Alert } from '#shared/domain/alert.ts'
import { createDetectionEngine } from '#shared/detection/detection-engine.ts'
import { defaultDetectionSettings, type DetectionSettings } from '#shared/detection/detection-settings.ts'
import type { EngineEvent } from '#shared/detection/engine-input.ts'

/** An engine and the alerts it has emitted, each held to the contract. */
export function anEngine(settings: Partial<DetectionSettings> = {}) {
  const alerts: Alert[] = []
  const engine = createDetectionEngine({ ...defaultDetectionSettings, ...settings }, (alert) => {
    alerts.push(alertSchema.parse(alert))
  })
  return { engine, alerts }
}

export function run(events: Iterable<EngineEvent>, settings: Partial<DetectionSettings> = {}): Alert[] {
  const { engine, alerts } = anEngine(settings)
  for (const event of events) engine.feed(event)
  return alerts
}

/** The alerts that wake somebody. */
export const woken = (alerts: readonly Alert[]) => alerts.filter(({ severity }) => severity !== 'info')

export const inOrder = (events: EngineEvent[]) => events.sort((a, b) => a.receivedAtMs - b.receivedAtMs)

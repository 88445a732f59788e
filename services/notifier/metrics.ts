import { Counter, Gauge, Registry } from 'prom-client'

/** What the notifier counts; `channel` is a configured name, so the number of series is bounded. */
export function createNotifierMetrics() {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    sent: new Counter({
      name: 'keywatch_notifier_sent_total',
      help: 'Alert states that the channel accepted',
      labelNames: ['channel'] as const,
      registers,
    }),
    refused: new Counter({
      name: 'keywatch_notifier_refused_total',
      help: 'Alert states that the channel refused for good; nobody was told',
      labelNames: ['channel'] as const,
      registers,
    }),
    failed: new Counter({
      name: 'keywatch_notifier_failed_tries_total',
      help: 'Tries that failed and are repeated',
      labelNames: ['channel'] as const,
      registers,
    }),
    skipped: new Counter({
      name: 'keywatch_notifier_skipped_total',
      help: 'Records that needed no message',
      labelNames: ['channel', 'reason'] as const,
      registers,
    }),
    available: new Gauge({
      name: 'keywatch_notifier_channel_available',
      help: '1 if the last try was answered, 0 while tries fail',
      labelNames: ['channel'] as const,
      registers,
    }),
    lag: new Gauge({
      name: 'keywatch_notifier_lag_records',
      help: 'Records of the alert topic that the channel has not handled yet',
      labelNames: ['channel', 'partition'] as const,
      registers,
    }),
    lastSuccess: new Gauge({
      name: 'keywatch_notifier_last_success_timestamp_seconds',
      help: 'When the channel last accepted a message, Unix time',
      labelNames: ['channel'] as const,
      registers,
    }),
  }
}
export type NotifierMetrics = ReturnType<typeof createNotifierMetrics>

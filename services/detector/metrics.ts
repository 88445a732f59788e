import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export type DetectorMetrics = ReturnType<typeof createMetrics>

/** The detector's metrics, in a registry of their own. */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    eventsStored: new Counter({
      name: 'keywatch_detector_events_stored_total',
      help: 'Events stored, each once.',
      registers,
    }),
    duplicates: new Counter({
      name: 'keywatch_detector_duplicates_total',
      help: 'Redelivered events left out.',
      registers,
    }),
    rejected: new Counter({
      name: 'keywatch_detector_rejected_total',
      help: 'Records stored as rejected, by where they came from.',
      labelNames: ['topic'],
      registers,
    }),
    blockSeconds: new Histogram({
      name: 'keywatch_detector_block_seconds',
      help: 'Time from reading a block to committing it.',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    retries: new Counter({
      name: 'keywatch_detector_retries_total',
      help: 'Tries that failed and are made again, by what was tried.',
      labelNames: ['what'],
      registers,
    }),
    alerts: new Counter({
      name: 'keywatch_detector_alert_changes_total',
      help: 'State changes of alerts.',
      labelNames: ['signal', 'severity', 'status'],
      registers,
    }),
    statesSaved: new Counter({
      name: 'keywatch_detector_states_saved_total',
      help: 'States of keys written to the warehouse.',
      registers,
    }),
    eventsReplayed: new Counter({
      name: 'keywatch_detector_events_replayed_total',
      help: 'Stored events that the engine was given again, to be where it was before a start.',
      registers,
    }),
    ...createPartitionMetrics(registers),
    ...createRollupMetrics(registers),
  }
}

function createPartitionMetrics(registers: Registry[]) {
  return {
    lag: new Gauge({
      name: 'keywatch_detector_lag_records',
      help: 'Records of the event topic not handled yet.',
      labelNames: ['partition'],
      registers,
    }),
    keys: new Gauge({
      name: 'keywatch_detector_keys',
      help: 'Keys in memory.',
      labelNames: ['partition'],
      registers,
    }),
    lastTick: new Gauge({
      name: 'keywatch_detector_last_tick_seconds',
      help: 'When the partition was last seen to be caught up, seconds since the epoch.',
      labelNames: ['partition'],
      registers,
    }),
  }
}

function createRollupMetrics(registers: Registry[]) {
  return {
    rollupRepaired: new Counter({
      name: 'keywatch_detector_rollup_repaired_total',
      help: 'Cells of a rollup that did not equal the raw events and were put right; key_activity: keys.',
      labelNames: ['rollup'],
      registers,
    }),
    reconciledAt: new Gauge({
      name: 'keywatch_detector_reconciled_at_seconds',
      help: 'When this member last compared the rollups with the raw events to the end, seconds since the epoch; 0 = never.',
      registers,
    }),
  }
}

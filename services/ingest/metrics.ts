import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export type IngestMetrics = ReturnType<typeof createMetrics>

const AGE_BUCKETS_SECONDS = [-60, 0, 1, 5, 30, 300, 3600, 21_600, 86_400]
const APPEND_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What ingest counts. Labels are bounded: sources are configured, event types and fields are SendGrid's own. */
export function createMetrics(inFlightBytes: () => number) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'keywatch_ingest_in_flight_bytes',
    help: 'Bytes of request bodies announced or held, until the event log has them',
    registers: [registry],
    collect() {
      this.set(inFlightBytes())
    },
  })
  return { registry, ...requestMetrics(registry), ...eventMetrics(registry) }
}

function requestMetrics(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `keywatch_ingest_${name}`, help, labelNames, registers: [registry] })
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `keywatch_ingest_${name}`, help, buckets, registers: [registry] })
  return {
    requests: counter('requests_total', 'Requests by outcome', 'outcome'),
    signatureRejected: counter('signature_rejected_total', 'Requests refused for their signature', 'reason'),
    keyMatched: counter('key_matched_total', 'Verified requests by public key', 'source', 'key_index'),
    appendFailed: counter(
      'append_failed_total',
      'Requests that the log failed or was late to take',
      'reason',
    ),
    certificateReloadFailed: counter(
      'certificate_reload_failed_total',
      'New certificates that could not be used',
    ),
    signatureAge: histogram('signature_age_seconds', 'Age of verified signatures', AGE_BUCKETS_SECONDS),
    appendSeconds: histogram('append_seconds', 'Time until a request was durable', APPEND_BUCKETS_SECONDS),
  }
}

function eventMetrics(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `keywatch_ingest_${name}`, help, labelNames, registers: [registry] })
  return {
    events: counter('events_total', 'Events made durable, redelivered ones included', 'source', 'event'),
    attributed: counter('attributed_total', 'Events made durable, by attribution rule', 'source', 'rule'),
    rejected: counter('rejected_total', 'Signed bodies and events quarantined', 'source', 'reason'),
    normalised: counter('normalised_total', 'Events in which a field had to be changed', 'field'),
    unknownTypes: counter('unknown_event_types_total', 'Events of an undocumented type', 'source'),
    unknownFields: counter('unknown_fields_total', 'Custom arguments and undocumented fields', 'source'),
    repeated: counter('repeated_total', 'Events whose id came twice in one request', 'source'),
    conflict: counter('conflict_total', 'Of those, events that differed from the first one', 'source'),
  }
}

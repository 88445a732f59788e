import { z } from 'zod'

/** Stable names: analysts, runbooks and routing rules refer to them. */
export const signals = [
  'volume.spike',
  'volume.drop',
  'volume.ramp',
  'volume.off_hours',
  'rate.bounce',
  'rate.drop',
  'rate.defer',
  'rate.spam_report',
  'rate.unsubscribe',
  'novelty.sender',
  'novelty.category',
  'novelty.template',
  'novelty.url_domain',
  'mix.recipient_domain',
  'key.new',
  'key.dormant_woke',
  'key.retired_used',
  'key.unattributed',
  'key.overflow',
  'fleet.shift',
  'source.silent',
  'pipeline.lag',
  'account.status_changed',
  'schema.unknown_field',
  'pipeline.test',
] as const
export type Signal = (typeof signals)[number]

export const severities = ['info', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

/** The key of traffic that no attribution rule matched. */
export const UNATTRIBUTED = 'unattributed'
/** The key under which keys beyond the configured maximum are judged together. */
export const OVERFLOW = 'overflow'
/** Stands for every key of a source, or every source of the fleet. */
export const EVERY = '*'

const isoTime = z.iso.datetime()

/**
 * One state change of an alert, as it is written to `keywatch.alerts` and to the warehouse. Times are ISO 8601
 * UTC. `alert_id` is a function of source, key, signal and the start of the episode, so that a replay
 * produces the same alert. `revision` counts the state changes of one alert from 1.
 */
export const alertSchema = z.object({
  v: z.literal(1),
  alert_id: z.string().min(1).max(64),
  incident_id: z.string().min(1).max(64),
  revision: z.number().int().positive(),
  key: z.string().min(1),
  source: z.string().min(1),
  signal: z.enum(signals),
  severity: z.enum(severities),
  status: z.enum(['open', 'resolved']),
  started_at: isoTime,
  detected_at: isoTime,
  ended_at: isoTime.nullable(),
  /** When this line became true, on the arrival clock. */
  changed_at: isoTime,
  /** Messages (or the signal's own unit) seen in the window, and what was expected with its interval. */
  observed: z.number(),
  expected: z.number(),
  expected_low: z.number(),
  expected_high: z.number(),
  /** −log10 of the probability of so large a value; p_value is that probability. */
  score: z.number(),
  p_value: z.number().min(0).max(1),
  window_seconds: z.number().int().nonnegative(),
  messages_before_alarm: z.number().int().nonnegative(),
  evidence: z.record(z.string(), z.json()),
  /** One sentence that a tired person understands. */
  summary: z.string().min(1).max(1000),
  /** What to do next, in order. */
  next_steps: z.array(z.string().max(300)).max(10),
  runbook_url: z.string(),
  links: z.record(z.string(), z.string()),
})
export type Alert = z.output<typeof alertSchema>

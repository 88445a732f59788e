import { z } from 'zod'
import { attributionRuleSchema, defaultAttributionRules } from '#shared/domain/attribution-rule.ts'
import { severities } from '#shared/domain/alert.ts'
import { detectionSchema } from './detection-config.ts'

const MIB = 1024 * 1024

/** The environment holds text only, so digits are taken as a number where one is asked for. */
const wholeNumber = (minimum: number, maximum: number = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.number().int().min(minimum).max(maximum),
  )
const flag = z.union([z.boolean(), z.stringbool()])

/** `host:port`, `[::1]:port` or `:port` for every interface. */
const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:[\]]*):\d{1,5}$/, 'must be host:port')
  .transform((text) => {
    const colon = text.lastIndexOf(':')
    const host = text.slice(0, colon).replace(/^\[|\]$/g, '')
    return { host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(colon + 1)) }
  })
  .refine(({ port }) => port <= 65_535, 'the port must be at most 65535')

const secret = z.string().min(1)
const entityName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use a-z, 0-9, _ and -, at most 63 characters')

const source = z.strictObject({
  /** Base64 of the DER SPKI, as SendGrid shows it; several while a key is being rotated. */
  public_keys: z.array(z.string().min(1)).min(1).max(3),
  /** Declares that everything on this source was sent with this one API key. */
  key: z.string().min(1).max(128).optional(),
  attribution: z.array(attributionRuleSchema).max(100).optional(),
})

const ingest = z.strictObject({
  listen: listenAddress.prefault('127.0.0.1:8080'),
  admin_listen: listenAddress.prefault('127.0.0.1:9081'),
  body_limit_bytes: wholeNumber(1024, 64 * MIB).default(5 * MIB),
  in_flight_limit_bytes: wholeNumber(MIB).default(64 * MIB),
  signature_max_age_seconds: wholeNumber(1).default(25 * 3600),
  signature_max_future_seconds: wholeNumber(0).default(300),
  append_timeout_ms: wholeNumber(1).default(10_000),
  tls: z.strictObject({ certificate_file: z.string(), key_file: z.string() }).optional(),
})

const eventLog = z.strictObject({
  /** `file:PATH` or `kafka://host:port,host:port`. */
  url: z
    .string()
    .regex(/^(file:.+|kafka:\/\/[^/]+)$/, 'must be file:PATH or kafka://host:port,…')
    .optional(),
  /** Partitions of the event topic, fixed when the topic is created. */
  partitions: wholeNumber(1, 256).default(4),
  replication_factor: wholeNumber(1, 7).default(1),
  retention_hours: wholeNumber(48).default(168),
  /** `file:` only: appends are refused (503, SendGrid delivers again) once unread records fill it. */
  size_limit_bytes: wholeNumber(64 * MIB).default(16 * 1024 * MIB),
  /** `kafka://` only: put before every topic and consumer group, where several installations share the brokers. */
  topic_prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'use letters, digits, ., _ and -, at most 100 characters')
    .optional(),
  /** `kafka://` only: below Kafka's session time-out a member that died is not missed. */
  session_timeout_ms: wholeNumber(6000).default(10_000),
  tls: z
    .strictObject({
      ca_file: z.string().optional(),
      certificate_file: z.string().optional(),
      key_file: z.string().optional(),
    })
    .optional(),
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
      username: z.string().min(1),
      password: secret,
    })
    .optional(),
})

const warehouse = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8123'),
  username: z.string().min(1).default('keywatch'),
  /** Absent: the password that the embedded warehouse made in the data directory at its first start. */
  password: secret.optional(),
  database: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/)
    .default('keywatch'),
  /** Name of the ClickHouse cluster; absent on a single server. */
  cluster: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
  raw_retention_days: wholeNumber(3, 3650).default(90),
})

const detector = z.strictObject({
  admin_listen: listenAddress.prefault('127.0.0.1:9082'),
  /** A block is stored when it holds this many records, or `block_wait_ms` after its first one. */
  block_records_max: wholeNumber(1, 100_000).default(5000),
  block_wait_ms: wholeNumber(1, 10_000).default(250),
  live_keys_max: wholeNumber(1, 1_000_000).default(50_000),
  tick_interval_ms: wholeNumber(100, 60_000).default(1000),
  /** Events that lie unhandled in the log for longer are a warning: alerts come late. */
  lag_warning_seconds: wholeNumber(1, 86_400).default(120),
})

const minimumSeverity = z.enum(severities).default('warning')
const channel = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('terminal'), minimum_severity: minimumSeverity }),
  z.strictObject({
    type: z.literal('slack'),
    url: secret,
    /** For a stand-in of Slack on the own network; http is then allowed too. */
    allow_private_address: flag.default(false),
    minimum_severity: minimumSeverity,
  }),
  z.strictObject({
    type: z.literal('webhook'),
    url: secret,
    /** Standard Webhooks secrets (`whsec_…`); two while one is being rotated. */
    secrets: z.array(secret).min(1).max(2),
    /** Private and loopback addresses are refused unless this is set. */
    allow_private_address: flag.default(false),
    minimum_severity: minimumSeverity,
  }),
])

const notifier = z.strictObject({
  admin_listen: listenAddress.prefault('127.0.0.1:9083'),
  channels: z.record(entityName, channel).prefault({ terminal: { type: 'terminal' } }),
})

const privacy = z.strictObject({
  /** `hash`: recipients are stored as a keyed hash and their domain; `plain`: the address as well. */
  recipients: z.enum(['hash', 'plain']).default('hash'),
  /** Absent: made in the data directory at the first start (with `file:` logs only). */
  hash_key: secret.optional(),
})

/** The whole of `keywatch.yaml`; every part is optional. */
export const configSchema = z
  .strictObject({
    data_directory: z.string().min(1).default('data'),
    log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
    /** A service that has not stopped by then is ended; keep it below the orchestrator's grace period. */
    stop_deadline_ms: wholeNumber(100).default(8000),
    sources: z.record(entityName, source).default({}),
    attribution: z
      .array(attributionRuleSchema)
      .max(100)
      .default([...defaultAttributionRules]),
    ingest: ingest.prefault({}),
    event_log: eventLog.prefault({}),
    warehouse: warehouse.prefault({}),
    detector: detector.prefault({}),
    detection: detectionSchema.prefault({}),
    notifier: notifier.prefault({}),
    privacy: privacy.prefault({}),
  })
  .transform((config) => ({
    ...config,
    event_log: {
      ...config.event_log,
      url: config.event_log.url ?? `file:${config.data_directory}/event-log`,
    },
  }))
  .superRefine((config, context) => {
    if (
      config.event_log.url.startsWith('kafka://') &&
      config.privacy.recipients === 'hash' &&
      config.privacy.hash_key === undefined
    ) {
      context.addIssue({
        code: 'custom',
        path: ['privacy', 'hash_key'],
        message:
          'is needed with a kafka:// log, because every detector must hash alike; set KEYWATCH_PRIVACY__HASH_KEY_FILE',
      })
    }
  })
export type Config = Readonly<z.output<typeof configSchema>>

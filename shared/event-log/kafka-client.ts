import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { Kafka, logLevel, type KafkaConfig, type LogEntry, type SASLOptions } from 'kafkajs'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { correctRequestQueueTimer } from './kafkajs-timers.ts'

const CONNECTION_TIMEOUT_MS = 3000
const REQUEST_TIMEOUT_MS = 10_000

/**
 * kafkajs's default of 30 s between tries lets a consumer sleep through a minute after an outage of one second;
 * with these it is back within a second of the broker.
 */
const RETRY_TIMES = { initialRetryTime: 100, maxRetryTime: 1000 }

/** A kafkajs client for the brokers, TLS and SASL settings of the configuration. Nothing is connected yet. */
export function createKafkaClient(
  config: Config['event_log'],
  options: { readonly clientId: string; readonly log: Logger; readonly retries: number },
): Kafka {
  correctRequestQueueTimer()
  const settings: KafkaConfig = {
    clientId: options.clientId,
    brokers: config.url.slice('kafka://'.length).split(','),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { ...RETRY_TIMES, retries: options.retries },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => logEntry(options.log, entry),
  }
  if (config.tls !== undefined) settings.ssl = readTls(config.tls)
  if (config.sasl !== undefined) settings.sasl = saslOptions(config.sasl)
  return new Kafka(settings)
}

/** kafkajs reports every try that failed as an error; what it could not cure reaches its caller as an exception. */
function logEntry(log: Logger, { level, namespace, log: entry }: LogEntry): void {
  const { message, error, groupId, broker } = entry
  const fields = {
    namespace,
    detail: String(error ?? ''),
    groupId: String(groupId ?? ''),
    broker: String(broker ?? ''),
  }
  if (level <= logLevel.ERROR) log.warn(fields, `kafkajs: ${message}`)
  else log.debug(fields, `kafkajs: ${message}`)
}

function saslOptions(sasl: NonNullable<Config['event_log']['sasl']>): SASLOptions {
  const { mechanism, username, password } = sasl
  // One literal each: kafkajs's type is a union by mechanism.
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password }
    case 'scram-sha-256':
      return { mechanism, username, password }
    case 'scram-sha-512':
      return { mechanism, username, password }
    default:
      return mechanism satisfies never
  }
}

function readTls(tls: NonNullable<Config['event_log']['tls']>): ConnectionOptions {
  const files = { ca: tls.ca_file, cert: tls.certificate_file, key: tls.key_file }
  const contents: ConnectionOptions = {}
  for (const name of ['ca', 'cert', 'key'] as const) {
    const file = files[name]
    if (file === undefined) continue
    try {
      contents[name] = readFileSync(file)
    } catch (error) {
      throw new AppError(
        'CONFIG_INVALID',
        `event_log.tls names ${file}, which cannot be read; check the path.`,
        {
          cause: error,
          retriable: false,
        },
      )
    }
  }
  return contents
}

import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '#shared/config/config.ts'
import { loadPublicKey } from '#shared/domain/webhook-signature.ts'
import type { EventLog } from '#shared/event-log/event-log.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import type { Check } from './check.ts'

/** SendGrid's signature is refused when the clocks differ by more than the configured future allowance. */
const CLOCK_SKEW_WARNING_MS = 5000
const CERTIFICATE_WARNING_MS = 14 * 24 * 3600 * 1000

/** The sources and their public keys: each must be a P-256 key, and at least one source must exist. */
export function sourcesCheck(config: Config): Check {
  return {
    name: 'sources',
    run: async () => {
      const sources = Object.entries(config.sources)
      if (sources.length === 0) {
        return {
          outcome: 'failed',
          found: 'no source is configured',
          advice:
            'Add sources.NAME.public_keys with the key that SendGrid shows for the event webhook (README, step 2).',
        }
      }
      for (const [name, source] of sources) {
        for (const key of source.public_keys) {
          try {
            loadPublicKey(key)
          } catch (error) {
            const why = error instanceof Error ? error.message : String(error)
            return {
              outcome: 'failed',
              found: `sources.${name}: ${why}`,
              advice: 'Copy the key again from SendGrid.',
            }
          }
        }
      }
      const described = sources
        .map(([name, source]) => `${name} (${source.public_keys.length} key(s))`)
        .join(', ')
      return { outcome: 'ok', found: described }
    },
  }
}

/** The folder that holds the embedded log, the embedded warehouse and their secrets. */
export function dataDirectoryCheck(config: Config): Check {
  return {
    name: 'data directory',
    run: async () => {
      let folder = resolve(config.data_directory)
      while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
      try {
        accessSync(folder, constants.W_OK)
      } catch {
        return {
          outcome: 'failed',
          found: `${folder} is not writable`,
          advice: 'Change its owner, or set data_directory.',
        }
      }
      return { outcome: 'ok', found: `${resolve(config.data_directory)} can be written` }
    },
  }
}

/** The event log can be opened and would take an append. */
export function eventLogCheck(open: () => Promise<EventLog>): Check {
  return {
    name: 'event log',
    run: async () => {
      const eventLog = await open()
      try {
        const { ok, reason } = await eventLog.health()
        if (ok) return { outcome: 'ok', found: 'open, and takes appends' }
        return {
          outcome: 'failed',
          found: reason ?? 'does not take appends',
          advice: 'See event_log in the configuration.',
        }
      } finally {
        await eventLog.close()
      }
    },
  }
}

/** The warehouse answers, knows us, and its clock agrees with ours. */
export function warehouseCheck(connect: () => ClickHouseClient): Check {
  return {
    name: 'warehouse',
    run: async () => {
      const client = connect()
      try {
        const before = Date.now()
        const answer = await client.query({
          query: 'SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS now_ms',
          format: 'JSONEachRow',
        })
        const now = (before + Date.now()) / 2
        const [row] = z
          .array(z.object({ version: z.string(), now_ms: z.coerce.number() }))
          .parse(await answer.json())
        if (row === undefined)
          return { outcome: 'failed', found: 'an empty answer', advice: 'Is this a ClickHouse?' }
        const skewMs = Math.round(Math.abs(row.now_ms - now))
        if (skewMs > CLOCK_SKEW_WARNING_MS) {
          return {
            outcome: 'warning',
            found: `ClickHouse ${row.version}; its clock differs by ${skewMs} ms`,
            advice: 'Synchronise the clocks (NTP): windows and signatures depend on them.',
          }
        }
        return { outcome: 'ok', found: `ClickHouse ${row.version}, clocks ${skewMs} ms apart` }
      } finally {
        await client.close()
      }
    },
  }
}

/** The certificate and key of ingest, if it serves HTTPS itself. */
export function tlsCheck(config: Config, nowMs: number): Check {
  return {
    name: 'TLS',
    run: async () => {
      const { tls } = config.ingest
      if (tls === undefined) {
        return {
          outcome: 'ok',
          found: 'off; a reverse proxy serves HTTPS (SendGrid should post to https:// only)',
        }
      }
      const certificate = new X509Certificate(readFileSync(tls.certificate_file))
      if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(tls.key_file)))) {
        return {
          outcome: 'failed',
          found: 'key and certificate do not belong together',
          advice: 'Install the right pair.',
        }
      }
      const expiresMs = Date.parse(certificate.validTo)
      if (expiresMs - nowMs < CERTIFICATE_WARNING_MS) {
        return {
          outcome: 'warning',
          found: `expires ${certificate.validTo}`,
          advice: 'Renew it; it is reloaded by itself.',
        }
      }
      return { outcome: 'ok', found: `valid until ${certificate.validTo}` }
    },
  }
}

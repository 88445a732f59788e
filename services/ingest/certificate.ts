import { readFile } from 'node:fs/promises'
import { unwatchFile, watchFile } from 'node:fs'
import type { Server as HttpsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Logger } from 'pino'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import type { IngestMetrics } from './metrics.ts'

export type CertificateFiles = { readonly certificate_file: string; readonly key_file: string }
export type CertificatePair = { readonly cert: Buffer; readonly key: Buffer }

/** Renewals are not urgent; a look at two files every two seconds costs nothing and works on every file system. */
const WATCH_INTERVAL_MS = 2000

/** Reads the certificate and its key, and checks that they belong together; else the AppError `CONFIG_INVALID`. */
export async function readCertificate(files: CertificateFiles): Promise<CertificatePair> {
  try {
    const [cert, key] = await Promise.all([readFile(files.certificate_file), readFile(files.key_file)])
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (error) {
    throw new AppError(
      'CONFIG_INVALID',
      `The certificate ${files.certificate_file} with the key ${files.key_file} cannot be used (${error instanceof Error ? error.message : ''}); check that both files are PEM and belong together.`,
      { cause: error, retriable: false },
    )
  }
}

/**
 * Gives a running server the new certificate when one of the files changes. The two files are written one after the
 * other, so a pair that does not match is no reason to stop serving: the old one stays until the new one is whole.
 */
export function watchCertificate(
  server: Pick<HttpsServer, 'setSecureContext'>,
  files: CertificateFiles,
  report: { readonly log: Logger; readonly metrics: Pick<IngestMetrics, 'certificateReloadFailed'> },
): Stop {
  const { log, metrics } = report
  let reloading = Promise.resolve()
  const reload = () => {
    reloading = reloading.then(async () => {
      try {
        server.setSecureContext({ ...(await readCertificate(files)), minVersion: 'TLSv1.2' })
        log.info({ file: files.certificate_file }, 'certificate reloaded')
      } catch (error) {
        metrics.certificateReloadFailed.inc()
        log.error({ err: error }, 'the new certificate cannot be used, the old one stays')
      }
    })
  }
  const watched = [files.certificate_file, files.key_file]
  for (const file of watched) watchFile(file, { interval: WATCH_INTERVAL_MS, persistent: false }, reload)
  return async () => {
    for (const file of watched) unwatchFile(file, reload)
    await reloading
  }
}

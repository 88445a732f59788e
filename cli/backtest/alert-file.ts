import { closeSync, openSync, writeSync } from 'node:fs'
import type { Alert } from '#shared/domain/alert.ts'
import { AppError } from '#shared/runtime/app-error.ts'

/** A file of alerts, one change a line; there are few of them, so each is written at once. */
export type AlertFile = { readonly add: (alert: Alert) => void; readonly close: () => void }

/** Makes or empties the file. Throws the AppError `FILE_UNREADABLE` where that is refused. */
export function createAlertFile(file: string): AlertFile {
  const descriptor = open(file)
  return {
    add: (alert) => void writeSync(descriptor, `${JSON.stringify(alert)}\n`),
    close: () => closeSync(descriptor),
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'w')
  } catch (error) {
    throw new AppError('FILE_UNREADABLE', `${file} cannot be written; check its folder and permissions`, {
      cause: error,
      retriable: false,
    })
  }
}

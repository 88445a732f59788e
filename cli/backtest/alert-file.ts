import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
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

/** Throws the AppError `FILE_UNREADABLE` where the file cannot be written. */
export function writeTextFile(file: string, text: string): void {
  const descriptor = open(file)
  try {
    writeFileSync(descriptor, text)
  } finally {
    closeSync(descriptor)
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

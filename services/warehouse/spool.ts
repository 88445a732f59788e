import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '#shared/runtime/app-error.ts'

/**
 * Files that carry data into the engine and results out of it, so that memory stays bounded whatever their size.
 *
 * They live beside the engine's data, on a disk that is meant to be large, and none outlives its request.
 */
export type Spool = {
  /** A name that no other request has; nothing is created. */
  readonly newFile: () => string
  /** Writes everything to a new file and resolves with its name. */
  readonly save: (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => Promise<string>
  readonly discard: (file: string) => Promise<void>
}

/** Empties and opens the spool; files left by a process that was killed go. */
export function openSpool(directory: string): Spool {
  // The engine reads patterns in the names of files, and it has no way to escape them.
  if (/[*?{}'\\]/.test(directory)) {
    throw new AppError(
      'CONFIG_INVALID',
      `the data directory's path ${directory} must not contain any of * ? { } ' \\; choose another data_directory`,
      { retriable: false },
    )
  }
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const newFile = () => join(directory, randomUUID())
  const discard = (file: string) => rm(file, { force: true })
  const save = async (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
    const file = newFile()
    try {
      await pipeline(Readable.from(chunks), createWriteStream(file, { mode: 0o600 }))
      return file
    } catch (error) {
      await discard(file)
      throw error
    }
  }
  return { newFile, save, discard }
}

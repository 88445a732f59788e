import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/runtime/app-error.ts'

/** 256 bits, so that guessing is hopeless; see OWASP ASVS 5.0, 7.2.3. */
const PASSWORD_BYTES = 32

/** Where the embedded warehouse keeps everything that is its own. */
export function warehouseDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'warehouse')
}

/** The password of the embedded warehouse, or undefined where none was made yet. */
export function readWarehousePassword(dataDirectory: string): string | undefined {
  const file = passwordFile(dataDirectory)
  try {
    const password = readFileSync(file, 'utf8').trim()
    if (password === '') throw new Error('the file is empty')
    return password
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new AppError(
      'CONFIG_INVALID',
      `the warehouse's password in ${file} cannot be read; run as the user that owns it, or remove the file to have a new password made`,
      { cause: error, retriable: false },
    )
  }
}

/**
 * Reads the embedded warehouse's password and makes it at the first start.
 *
 * The file has mode 600 in a directory of mode 700. It appears whole or not at all, and when two processes
 * start at once both end up with the same password.
 */
export function ensureWarehousePassword(dataDirectory: string): string {
  const existing = readWarehousePassword(dataDirectory)
  if (existing !== undefined) return existing
  const directory = warehouseDirectory(dataDirectory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `password.${process.pid}.draft`)
  const descriptor = openSync(draft, 'w', 0o600)
  try {
    writeSync(descriptor, `${randomBytes(PASSWORD_BYTES).toString('base64url')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    // Unlike a rename, a link never replaces the password that another process made meanwhile.
    linkSync(draft, passwordFile(dataDirectory))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const made = readWarehousePassword(dataDirectory)
  if (made === undefined) throw new Error('the password file vanished while it was being made')
  return made
}

function passwordFile(dataDirectory: string): string {
  return join(warehouseDirectory(dataDirectory), 'password')
}

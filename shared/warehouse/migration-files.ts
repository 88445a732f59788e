import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

export type Migration = {
  /** File name, e.g. `0001_create_events.sql`; migrations are applied in the order of their names. */
  readonly name: string
  /** The text with its placeholders, as it stands in the file. */
  readonly template: string
  /** SHA-256 of that text, hexadecimal: the same for one server and for a cluster. */
  readonly checksum: string
}

const FOLDER = new URL('migrations/', import.meta.url)

/** Every migration of this version, in order. */
export function readMigrations(folder: URL = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
    .map((name) => {
      const template = readFileSync(new URL(name, folder), 'utf8')
      return { name, template, checksum: createHash('sha256').update(template).digest('hex') }
    })
}

import { readFileSync } from 'node:fs'

/** The text of `queries/<name>.sql`; read once, when the store that asks it is loaded. */
export function sqlFile(name: string): string {
  return readFileSync(new URL(`queries/${name}.sql`, import.meta.url), 'utf8')
}

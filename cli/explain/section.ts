import { visibleText } from '#shared/domain/alert-text.ts'

const LINE_MAX = 400

/** A heading with its lines beneath, indented; nothing where there are no lines. */
export function section(heading: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  return ['', heading, ...lines.map((line) => `  ${line}`)]
}

/** Name and value, with the values under each other. What a value holds may come from a stranger. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${visibleText(value, LINE_MAX)}`)
}

/** A score or points, always with two digits, so that columns can be compared. */
export function points(value: number): string {
  return value.toFixed(2)
}

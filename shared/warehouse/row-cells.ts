/**
 * Cells of a row in a compact JSON format, checked one by one: a schema would cost more than the reading of the row
 * where there are millions. A cell of another type is a mistake of the statement's, so a TypeError.
 */
export function readText(cell: unknown): string {
  if (typeof cell === 'string') return cell
  throw new TypeError(`a cell holds ${typeof cell} where text was asked for`)
}

/** A 64-bit number is text or a number, as the server is set. */
export function readNumber(cell: unknown): number {
  const number = typeof cell === 'string' && cell !== '' ? Number(cell) : cell
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new TypeError(`a cell holds ${typeof cell} where a number was asked for`)
}

export function readFlag(cell: unknown): boolean {
  if (typeof cell === 'boolean') return cell
  throw new TypeError(`a cell holds ${typeof cell} where true or false was asked for`)
}

export function readTexts(cell: unknown): string[] {
  if (Array.isArray(cell) && cell.every((item) => typeof item === 'string')) return cell
  throw new TypeError(`a cell holds ${typeof cell} where a list of texts was asked for`)
}

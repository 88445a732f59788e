/**
 * A JSON value as base64 text, to stand between quotes in a statement: it cannot end them, and a statement has room
 * for thousands of names where a query parameter, sent in the URL, has not. Read it with
 * `JSONExtract(base64Decode('…'), 'Type')`.
 */
export function statementValue(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64')
}

/** Splits names into lists of at most `size`, to bound one statement. */
export function inGroups<Value>(values: readonly Value[], size: number): Value[][] {
  const groups: Value[][] = []
  for (let at = 0; at < values.length; at += size) groups.push(values.slice(at, at + size))
  return groups
}

/** The middle value, or the mean of the two in the middle. Throws RangeError for no values. */
export function medianOf(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b)
  const upper = ascending[ascending.length >> 1]
  const lower = ascending[(ascending.length - 1) >> 1]
  if (upper === undefined || lower === undefined) throw new RangeError('median of no values')
  return lower + (upper - lower) / 2
}

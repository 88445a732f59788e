/** The last values of a stream, kept in order, for exact ranks and quantiles. */
export type SortedWindow = {
  readonly capacity: number
  /** Ascending; the first `size` are in use. */
  readonly ascending: Float64Array
  /** As they came; the oldest is at `next` once the window is full. */
  readonly arrivals: Float64Array
  size: number
  next: number
}

export function createSortedWindow(capacity: number): SortedWindow {
  return {
    capacity,
    ascending: new Float64Array(capacity),
    arrivals: new Float64Array(capacity),
    size: 0,
    next: 0,
  }
}

/** Takes a finite value in and, when the window is full, its oldest value out. Moves up to `capacity` numbers. */
export function addValue(window: SortedWindow, value: number): void {
  const { ascending, arrivals, capacity } = window
  if (window.size === capacity) {
    const place = countBelow(window, arrivals[window.next] ?? 0)
    ascending.copyWithin(place, place + 1, capacity)
    window.size -= 1
  }
  const place = countBelow(window, value)
  ascending.copyWithin(place + 1, place, window.size)
  ascending[place] = value
  arrivals[window.next] = value
  window.next = (window.next + 1) % capacity
  window.size += 1
}

export function countBelow(window: SortedWindow, value: number): number {
  let low = 0
  let high = window.size
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((window.ascending[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

export function countAtMost(window: SortedWindow, value: number): number {
  let low = 0
  let high = window.size
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((window.ascending[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low
}

/** The value that a share (0 to 1) of the window lies below, evenly between two values; 0 for an empty window. */
export function quantile(window: SortedWindow, share: number): number {
  const position = share * Math.max(0, window.size - 1)
  const below = window.ascending[Math.floor(position)] ?? 0
  const above = window.ascending[Math.ceil(position)] ?? 0
  return window.size === 0 ? 0 : below + (above - below) * (position - Math.floor(position))
}

import type { Random } from '../random.ts'

/** Evenly in [low, high). */
export const between = (random: Random, low: number, high: number) => low + (high - low) * random.next()

/** Evenly on the logarithmic scale. */
export const betweenMagnitudes = (random: Random, low: number, high: number) =>
  low * (high / low) ** random.next()

/** A whole number from low to high, both included. */
export const wholeBetween = (random: Random, low: number, high: number) =>
  low + Math.floor((high - low + 1) * random.next())

export const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value))

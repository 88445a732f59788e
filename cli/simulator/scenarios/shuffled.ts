import { below, type Random } from '../random.ts'

/** The items in random order, each order equally likely (Fisher and Yates). */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items]
  const result: Item[] = []
  while (left.length > 0) result.push(...left.splice(below(random, left.length), 1))
  return result
}

/** Distinct hashes up to a few: "more than one domain?" needs no more. */
export type FewDistinct = number[]

export const DISTINCT_MAX = 8

export function countDistinct(known: FewDistinct, hash: number): void {
  if (known.length < DISTINCT_MAX && !known.includes(hash)) known.push(hash)
}

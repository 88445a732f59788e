import type { Alert } from '#shared/domain/alert.ts'
import type { ContentState } from './content-watch.ts'
import { learntOf, todayOf } from './domain-memory.ts'
import { evidenceNames } from './sender-watch.ts'

const VALUES_MAX = 4

/** What a key sends today against before: the commonest values of each field and of the recipients' domains, as shares. */
export function topValuesOf({ sender, audience, messagesToday, messages }: ContentState): Alert['evidence'] {
  const values: Alert['evidence'] = {}
  for (const [index, field] of evidenceNames.entries()) {
    const records = sender.memories[index]?.records ?? []
    const top = records
      .filter(({ today }) => today > 0)
      .toSorted((a, b) => b.today - a.today)
      .slice(0, VALUES_MAX)
      .map(({ value, today, count }) => shares(value, today / messagesToday, before(count, messages)))
    if (top.length > 0) values[field] = top
  }
  const { domains } = audience
  const top = Array.from({ length: domains.size }, (_, place) => place)
    .filter((place) => todayOf(domains, place) > 0)
    .sort((a, b) => todayOf(domains, b) - todayOf(domains, a))
    .slice(0, VALUES_MAX)
    .map((place) =>
      shares(
        domains.names[place] ?? '',
        todayOf(domains, place) / messagesToday,
        before(learntOf(domains, place), domains.total),
      ),
    )
  if (top.length > 0) values['recipient_domain'] = top
  return values
}

function before(count: number, of: number): number | undefined {
  return of === 0 ? undefined : Math.min(1, count / of)
}

function shares(value: string, share: number, shareBefore: number | undefined) {
  return {
    value,
    share: rounded(share),
    share_before: shareBefore === undefined ? null : rounded(shareBefore),
  }
}

function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000
}

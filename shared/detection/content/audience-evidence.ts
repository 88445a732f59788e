import { number } from '../alert-text.ts'
import type { EvidenceSink } from '../evidence.ts'
import { shareOf, strangerShare, windowOf, type AudienceWatch } from './audience-watch.ts'
import { OTHER, UNSEEN, type DomainMemory } from './domain-memory.ts'

/** The weaker of the two views of one change counts half. */
const SECOND_VIEW = 0.5
const HOLD_MINUTES = 120
const CONTRIBUTORS_MAX = 5

export function audiencePoints({ mix, stranger }: AudienceWatch): number {
  const strongest = Math.max(mix.points, stranger.points)
  return strongest + SECOND_VIEW * (mix.points + stranger.points - strongest)
}

/** Leaves what is known against the latest recipients. */
export function reportAudience(watch: AudienceWatch, sink: EvidenceSink): void {
  const points = audiencePoints(watch)
  if (!sink.wants('mix.recipient_domain', points)) return
  const { mix, stranger } = watch
  const leading = mix.points >= stranger.points ? mix : stranger
  const usual = strangerShare(watch)
  const share = stranger.messages === 0 ? 0 : stranger.strangers / stranger.messages
  const contributors = mix.points > 0 ? contributorsOf(watch.domains, mix.messages) : []
  const clauses = [
    ...contributors.slice(0, 2).map(({ domain, share: now, share_before: before }) => {
      return `${domain} ${percent(before)} → ${percent(now)}`
    }),
    ...(stranger.points > 1
      ? [`${percent(share)} of the recipients never mailed before (usually ${percent(usual)})`]
      : []),
  ]
  sink.report({
    signal: 'mix.recipient_domain',
    points,
    startSeconds: leading.firstSeconds,
    windowSeconds: Math.max(1, leading.lastSeconds - leading.firstSeconds),
    observed: leading === mix ? (contributors[0]?.share ?? 0) : share,
    expected: leading === mix ? (contributors[0]?.share_before ?? 0) : usual,
    expectedLow: 0,
    expectedHigh: leading === mix ? (contributors[0]?.share_before ?? 0) : usual,
    messages: leading.messages,
    domains: Math.max(stranger.domains.length, contributors.length),
    holdMinutes: HOLD_MINUTES,
    text: `${number(leading.messages)} messages to other people than usual: ${clauses.join(', ')}`,
    details: {
      recipient_domains: contributors,
      strangers: {
        share: rounded(share),
        share_before: rounded(usual),
        looked_up: stranger.messages,
        domains: stranger.domains.length,
      },
    },
  })
}

function contributorsOf(domains: DomainMemory, messages: number) {
  const classes = [UNSEEN, OTHER, ...Array.from({ length: domains.size }, (_, place) => place)]
  return classes
    .map((place) => ({
      domain:
        place === UNSEEN
          ? 'domains never mailed before'
          : place === OTHER
            ? 'others'
            : (domains.names[place] ?? ''),
      share: rounded(windowOf(domains, place) / Math.max(1, messages)),
      share_before: rounded(Math.min(1, shareOf(domains, place))),
    }))
    .toSorted((a, b) => b.share - b.share_before - (a.share - a.share_before))
    .slice(0, CONTRIBUTORS_MAX)
    .filter(({ share, share_before }) => share > share_before)
}

function percent(share: number): string {
  return `${number(Math.round(share * 1000) / 10)} %`
}

function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000
}

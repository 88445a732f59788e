import { number } from '../alert-text.ts'
import { POINTS_MIN, type EvidenceSink } from '../evidence.ts'
import { shareOf, strangerShare, windowOf, type AudienceWatch } from './audience-state.ts'
import { OTHER, UNSEEN, type DomainMemory } from './domain-memory.ts'

/** The weaker of the two views of one change counts half. */
const SECOND_VIEW = 0.5
const HOLD_MINUTES = 120
const CONTRIBUTORS_MAX = 5

/** Days with traffic after which the shares and how they vary are believed in full. */
const DAYS_BELIEVED = 10

export function audiencePoints(watch: AudienceWatch, activeDays: number): number {
  const mix = watch.mix.points * (watch.mix.points > POINTS_MIN ? effectOf(watch) : 1)
  const stranger = watch.stranger.points
  const strongest = Math.max(mix, stranger)
  const points = strongest + SECOND_VIEW * (mix + stranger - strongest)
  return points * Math.min(1, Math.sqrt(activeDays / DAYS_BELIEVED))
}

/** Of a hundred messages at least 8 must go elsewhere than usual to count at all, and 23 to count in full. */
const EFFECT_MIN = 0.08
const EFFECT_FULL = 0.23

/**
 * How far the latest messages' shares lie from the usual ones (total variation), as a factor: among a thousand
 * messages every difference is significant, and few are important.
 */
function effectOf({ domains, mix }: AudienceWatch): number {
  let distance = 0
  for (let place = UNSEEN; place < domains.size; place += 1) {
    distance += Math.abs(windowOf(domains, place) / mix.messages - shareOf(domains, place))
  }
  return Math.min(1, Math.max(0, (distance / 2 - EFFECT_MIN) / (EFFECT_FULL - EFFECT_MIN)))
}

/** Leaves what is known against the latest recipients. */
export function reportAudience(watch: AudienceWatch, activeDays: number, sink: EvidenceSink): void {
  const points = audiencePoints(watch, activeDays)
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

import { drawMember, recipientOf } from './audience.ts'
import { HOUR_MS, type Arrival } from './habit.ts'
import type { ArgumentKind, Content, KeyProfile, Template } from './key-profile.ts'
import { base64UrlText, below, hexText, pick, pickWeighted, plainText, Random } from './random.ts'

/** One message to one recipient: what all of its events have in common. */
export type Message = {
  readonly profile: KeyProfile<string>
  readonly arrival: Arrival
  readonly content: Content
  /** Set when the message is there, or is what it is, because of a scenario. */
  readonly scenario: string | undefined
  /** First part of `sg_message_id`, shared by the recipients of one API call. */
  readonly messageId: string
  /** The recipient's number within that call. */
  readonly recipientNumber: number
  readonly sgMessageId: string
  readonly smtpId: string
  readonly email: string
  readonly categories: readonly string[]
  readonly template: Template | undefined
  readonly customArguments: Readonly<Record<string, string>>
  readonly campaignId: number | undefined
}

const HOUR_PER_WEEK = 168

/** Makes the message of an arrival; `random` is the message's own stream. */
export function createMessage(
  profile: KeyProfile<string>,
  arrival: Arrival,
  stream: {
    readonly seed: number
    readonly keyNumber: number
    readonly audienceNumber: number
    readonly random: Random
  },
): Message {
  const { seed, keyNumber, audienceNumber, random } = stream
  const change = profile.changes?.find(({ fromMs, toMs }) => arrival.atMs >= fromMs && arrival.atMs < toMs)
  const content = change?.content ?? profile.content
  const { habit } = profile
  const recipientsPerSend = habit.kind === 'batch' || habit.kind === 'run' ? habit.recipientsPerSend : 1
  const recipientNumber = arrival.index % recipientsPerSend
  const call = Math.floor(arrival.index / recipientsPerSend)
  const perCall = new Random(seed, keyNumber, 5, arrival.block, call)
  const messageId = base64UrlText(perCall, 22)
  const acceptedAt = Math.floor(arrival.atMs / 1000)
  const filter = `recvd-${hexText(perCall, 10)}-${plainText(perCall, 5)}-1`
  return {
    profile,
    arrival,
    content,
    scenario: profile.scenario ?? change?.scenario,
    messageId,
    recipientNumber,
    sgMessageId: `${messageId}.${filter}-${acceptedAt.toString(16).toUpperCase()}-${below(perCall, 90)}.${recipientNumber}`,
    smtpId: `<${messageId}@${pick(perCall, content.smtpIdHosts)}>`,
    email: recipientOf(profile.audience, drawMember(profile.audience, random), audienceNumber),
    categories: categoriesOf(content, random),
    template: content.templates.length === 0 ? undefined : pickWeighted(random, content.templates),
    customArguments: Object.fromEntries(
      Object.entries(content.customArguments).map(([name, kind]) => [
        name,
        argumentValue(kind, random, arrival.atMs),
      ]),
    ),
    campaignId: content.campaignName === undefined ? undefined : campaignNumber(arrival.atMs),
  }
}

function categoriesOf(content: Content, random: Random): readonly string[] {
  const categories = pickWeighted(random, content.categories)
  if (content.numberedCategory === undefined) return categories
  return [...categories, `${content.numberedCategory}${100_000 + below(random, 900_000)}`]
}

function argumentValue(kind: ArgumentKind, random: Random, atMs: number): string {
  if (typeof kind === 'object') return pick(random, kind.oneOf)
  switch (kind) {
    case 'uuid': {
      const variant = pick(random, ['8', '9', 'a', 'b'])
      return `${hexText(random, 8)}-${hexText(random, 4)}-4${hexText(random, 3)}-${variant}${hexText(random, 3)}-${hexText(random, 12)}`
    }
    case 'integer':
      return String(100_000 + below(random, 900_000))
    case 'hex':
      return hexText(random, 16)
    case 'address':
      return `${plainText(random, 8)}@mail.example`
    case 'time':
      return new Date(atMs).toISOString()
    default:
      return kind satisfies never
  }
}

/** One campaign a week, numbered upwards. */
function campaignNumber(atMs: number): number {
  return 1_000_000 + Math.floor(atMs / HOUR_MS / HOUR_PER_WEEK)
}

import { UNKNOWN_FINGERPRINT, type EngineEvent, type EventFacts } from '#shared/detection/engine-input.ts'
import { toFactColumns, type FactColumns } from './event-row.ts'
import { cutText } from '#shared/domain/normalise-text.ts'
import type { EventMessage } from '#shared/domain/log-message.ts'
import type { RecipientPrivacy } from './recipient-privacy.ts'

/** What the engine is given of a message that is not stored: the same as after it was stored and read again. */
export function engineEventOf(message: EventMessage, privacy: RecipientPrivacy): EngineEvent {
  const { event } = message
  const accountStatus = accountStatusOf(event)
  const made = {
    source: message.source,
    key: message.key,
    event: event.event,
    timestamp: event.timestamp,
    receivedAtMs: message.received_at,
    attribution: message.attribution.rule,
    facts: factsOf(toFactColumns(event, privacy)),
  }
  return accountStatus === undefined ? made : { ...made, accountStatus }
}

/** Of an account's change of state: what SendGrid says happened. */
export function accountStatusOf(event: EventMessage['event']): string | undefined {
  const type = event['type']
  return event.event === 'account_status_change' && typeof type === 'string' ? type : undefined
}

/** What the engine learns from an event besides that there was one. */
export function factsOf(row: FactColumns): EventFacts {
  return {
    recipient: lowBits(row.recipient_hash),
    recipientDomain: row.recipient_domain,
    fingerprint: row.fingerprint === '' ? UNKNOWN_FINGERPRINT : row.fingerprint,
    senderHost: senderHostOf(row.smtp_id),
    template: row.template_id,
    categories: joined(row.categories),
    pool: row.pool,
    campaign: row.marketing_campaign_id,
    linkHost: row.url === '' ? '' : linkHostOf(row.url),
    bounceClass: row.bounce_classification,
    machineOpen: row.machine_open,
  }
}

/** Digits that a number holds exactly, so that 64-bit decimal text is read in two parts. */
const PART_DIGITS = 9

/** The low 32 bits of a number that is written in decimal. */
function lowBits(decimal: string): number {
  if (decimal.length <= PART_DIGITS) return Number(decimal)
  const high = Number(decimal.slice(0, -PART_DIGITS)) >>> 0
  return (Math.imul(high, 10 ** PART_DIGITS) + Number(decimal.slice(-PART_DIGITS))) >>> 0
}

function joined(categories: readonly string[]): string {
  const [first, second] = categories
  if (first === undefined) return ''
  return second === undefined ? first : categories.toSorted().join(', ')
}

const HOST_MAX = 256
/** A key's messages have few sending hosts; the bound is for hostile input. */
const HOSTS_MAX = 5000
const hostFamilies = new Map<string, string>()

/** The host of a Message-ID, lower case, runs of digits as `#`: hosts that are numbered are one family. */
export function senderHostOf(smtpId: string): string {
  const at = smtpId.lastIndexOf('@')
  if (at === -1) return ''
  const host = cutText(smtpId.slice(at + 1), HOST_MAX)
  const known = hostFamilies.get(host)
  if (known !== undefined) return known
  const family = host
    .replace(/[>\s]+$/, '')
    .toLowerCase()
    .replaceAll(/\d+/g, '#')
  if (hostFamilies.size >= HOSTS_MAX) hostFamilies.clear()
  hostFamilies.set(host, family)
  return family
}

const LINK_HOST = /^(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#]*@)?([^/?#:@]*|\[[^/?#\]]*\])(?::\d*)?(?:[/?#]|$)/i

/** The host of a link, lower case, without port and user; empty where the text is no link. */
export function linkHostOf(link: string): string {
  return cutText((LINK_HOST.exec(link)?.[1] ?? '').toLowerCase(), HOST_MAX)
}

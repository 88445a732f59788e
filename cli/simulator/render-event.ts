import { deferralResponses } from './delivery-outcomes.ts'
import type { Step } from './follow-ups.ts'
import type { Message } from './message.ts'
import { base64UrlText, below, pick, plainText, type Random } from './random.ts'
import { hashText } from './hash-text.ts'

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** An event as SendGrid posts it: custom arguments at the top level, the timestamp in seconds. */
export type SendgridEvent = {
  event: string
  sg_event_id: string
  sg_message_id: string
  timestamp: number
  [name: string]: Json
}

/** Numeric account ids, which SendGrid puts into the event ids of deliveries; billing is a subuser of its own. */
const ACCOUNTS = new Map<string, number>([
  ['main', 31_415_926],
  ['billing', 31_442_718],
  ['marketing', 31_415_926],
])

/** Addresses for documentation (RFC 5737), so that nobody's real one appears. */
const SENDING_ADDRESSES = new Map<string, readonly string[]>([
  ['main', ['192.0.2.17', '192.0.2.18', '192.0.2.19']],
  ['billing', ['192.0.2.40']],
  ['marketing', ['192.0.2.81', '192.0.2.82']],
])

function accountOf(source: string): number {
  const known = ACCOUNTS.get(source)
  if (known !== undefined) return known
  const account = 32_000_000 + (hashText(source) % 7_000_000)
  ACCOUNTS.set(source, account)
  return account
}

function sendingAddressesOf(source: string): readonly string[] {
  const known = SENDING_ADDRESSES.get(source)
  if (known !== undefined) return known
  const first = 100 + (hashText(source) % 150)
  const addresses = [`192.0.2.${first}`, `192.0.2.${first + 1}`]
  SENDING_ADDRESSES.set(source, addresses)
  return addresses
}

const READERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
] as const
/** What Apple's mail privacy proxy calls itself. */
const PRIVACY_PROXY = 'Mozilla/5.0'

/**
 * The event of one step in a message's life, with SendGrid's names and shapes. `random` is the event's own stream;
 * `timestamp` is in seconds.
 *
 * The ids of delivery events are the base64 of `event-account-message-recipient`, as the published examples are;
 * those of opens, clicks and complaints are opaque.
 */
export function renderEvent(message: Message, step: Step, timestamp: number, random: Random): SendgridEvent {
  const event: SendgridEvent = {
    ...message.customArguments,
    email: message.email,
    timestamp,
    event: step.event,
    sg_event_id: eventId(message, step, random),
    sg_message_id: message.sgMessageId,
  }
  addSenderFields(event, message)
  return Object.assign(event, stepFields(message, step, timestamp, random))
}

function addSenderFields(event: SendgridEvent, message: Message) {
  const { content } = message
  const [category] = message.categories
  if (category !== undefined) {
    event['category'] = message.categories.length === 1 ? category : [...message.categories]
  }
  if (message.template !== undefined) {
    event['sg_template_id'] = message.template.id
    event['sg_template_name'] = message.template.name
  }
  if (content.asmGroupId !== undefined) event['asm_group_id'] = content.asmGroupId
  if (message.campaignId !== undefined && content.campaignName !== undefined) {
    event['marketing_campaign_id'] = message.campaignId
    event['marketing_campaign_name'] = content.campaignName
  }
}

function stepFields(message: Message, step: Step, timestamp: number, random: Random): Record<string, Json> {
  const { profile } = message
  const smtp = { 'smtp-id': message.smtpId }
  switch (step.event) {
    case 'processed': {
      const { pool } = message.content
      return { ...smtp, send_at: 0, ...(pool === undefined ? {} : { pool: { ...pool } }) }
    }
    case 'dropped':
      return { ...smtp, ...step.cause }
    case 'deferred':
      return {
        ...smtp,
        response: pick(random, deferralResponses),
        attempt: String(step.attempt),
        tls: 1,
        domain: domainOf(message.email),
        from: `no-reply@${message.content.senderDomain}`,
      }
    case 'delivered': {
      const response = `250 2.0.0 OK ${timestamp} ${plainText(random, 12)}.${below(random, 1000)} - gsmtp`
      return { ...smtp, response, ip: pick(random, sendingAddressesOf(profile.source)), tls: 1, cert_err: 0 }
    }
    case 'bounce':
      return {
        ...smtp,
        ...step.cause,
        reason: step.cause.reason.replace('ADDRESS', message.email),
        ip: pick(random, sendingAddressesOf(profile.source)),
        tls: 1,
      }
    case 'open':
      return {
        useragent: step.machine ? PRIVACY_PROXY : pick(random, READERS),
        ip: readerAddress(random),
        sg_machine_open: step.machine,
        sg_content_type: 'html',
      }
    case 'click':
      return {
        url: message.content.links[step.link] ?? 'https://www.acme.example/',
        url_offset: { index: step.link, type: 'html' },
        useragent: pick(random, READERS),
        ip: readerAddress(random),
      }
    case 'group_unsubscribe':
    case 'group_resubscribe':
      return {
        useragent: pick(random, READERS),
        ip: readerAddress(random),
        url: 'https://u31415926.ct.sendgrid.net/asm/',
      }
    case 'spamreport':
    case 'unsubscribe':
      return {}
    default:
      return step satisfies never
  }
}

function eventId(message: Message, step: Step, random: Random): string {
  const rest = `${accountOf(message.profile.source)}-${message.messageId}-${message.recipientNumber}`
  switch (step.event) {
    case 'processed':
      return encoded(`processed-${rest}`)
    case 'dropped':
      return encoded(`drop-${rest}`)
    case 'delivered':
      return encoded(`delivered-0-${rest}`)
    case 'bounce':
      return encoded(`bounce-0-${rest}`)
    case 'deferred':
      return encoded(`deferred-${step.attempt - 1}-${rest}`)
    case 'open':
    case 'click':
    case 'spamreport':
    case 'unsubscribe':
    case 'group_unsubscribe':
    case 'group_resubscribe':
      return base64UrlText(random, 22)
    default:
      return step satisfies never
  }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64').replace(/=+$/, '')
}

/** An address of the second and third block for documentation (RFC 5737). */
function readerAddress(random: Random): string {
  return `${pick(random, ['198.51.100', '203.0.113'])}.${1 + below(random, 254)}`
}

function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1)
}

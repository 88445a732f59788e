import type { ListQuality } from './key-profile.ts'
import { pickWeighted, type Random } from './random.ts'

/** A bounce as SendGrid reports it. `ADDRESS` in the reason stands for the recipient's address. */
export type BounceCause = {
  readonly type: 'bounce' | 'blocked'
  readonly status: string
  readonly bounce_classification: string
  readonly reason: string
}

const unknownUser: BounceCause = {
  type: 'bounce',
  status: '5.1.1',
  bounce_classification: 'Invalid Address',
  reason: '550 5.1.1 <ADDRESS>: Recipient address rejected: User unknown',
}
const mailboxFull: BounceCause = {
  type: 'bounce',
  status: '5.2.2',
  bounce_classification: 'Mailbox Unavailable',
  reason:
    '552 5.2.2 The email account that you tried to reach is over quota and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm',
}
const spamContent: BounceCause = {
  type: 'blocked',
  status: '5.7.1',
  bounce_classification: 'Content',
  reason: '554 5.7.1 Message rejected because its content looks like spam',
}
const badReputation: BounceCause = {
  type: 'blocked',
  status: '5.7.606',
  bounce_classification: 'Reputation',
  reason: '550 5.7.606 Access denied, sending address is on a block list',
}
const tooMany: BounceCause = {
  type: 'blocked',
  status: '4.7.28',
  bounce_classification: 'Frequency or Volume Too High',
  reason: '421 4.7.28 Our system has detected an unusual rate of unsolicited mail',
}
/** What SendGrid reports of a domain without servers. */
export const unreachable: BounceCause = {
  type: 'bounce',
  status: '5.4.4',
  bounce_classification: 'Technical',
  reason: 'unable to get mx info: failed to get IPs from PTR record: lookup <nil>: unrecognized address',
}
/** What SendGrid reports after 72 hours of deferrals. */
export const expired: BounceCause = {
  type: 'blocked',
  status: '4.4.7',
  bounce_classification: 'Unclassified',
  reason: 'expired after 72 hours of failed delivery attempts',
}

const bounces: Readonly<Record<ListQuality, readonly (readonly [BounceCause, number])[]>> = {
  kept: [
    [unknownUser, 46],
    [mailboxFull, 24],
    [unreachable, 16],
    [spamContent, 8],
    [badReputation, 6],
  ],
  bought: [
    [unknownUser, 62],
    [spamContent, 16],
    [badReputation, 10],
    [tooMany, 8],
    [mailboxFull, 4],
  ],
}

/** Why a suppressed message was not sent; SendGrid gives no enhanced code with it, as a rule. */
export type DropCause = { readonly reason: string; readonly status?: string }

const drops: Readonly<Record<ListQuality, readonly (readonly [DropCause, number])[]>> = {
  kept: [
    [{ reason: 'Bounced Address' }, 55],
    [{ reason: 'Unsubscribed Address' }, 35],
    [{ reason: 'Spam Reporting Address' }, 10],
  ],
  bought: [
    [{ reason: 'Invalid', status: '5.1.3' }, 50],
    [{ reason: 'Bounced Address' }, 40],
    [{ reason: 'Spam Reporting Address' }, 10],
  ],
}

export const deferralResponses = [
  '451 4.7.1 Greylisting in action, please come back later',
  '421 4.7.0 Try again later, closing connection.',
  '452 4.2.2 The recipient’s inbox is out of storage space.',
  '450 4.1.8 Sender address rejected: Domain not found',
] as const

export const drawBounce = (quality: ListQuality, random: Random) => pickWeighted(random, bounces[quality])
export const drawDrop = (quality: ListQuality, random: Random) => pickWeighted(random, drops[quality])

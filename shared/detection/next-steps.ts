import { UNATTRIBUTED, type Signal } from '#shared/domain/alert.ts'

const REVOKE =
  'If nobody can explain it: revoke the key in SendGrid under Settings → API Keys, and make a new one.'
const CONFIRM =
  'Attribution is claimed, not proven: confirm the key in SendGrid under Activity (filter by API key) before acting.'
const ASK_OWNER = 'Ask the owner of the key whether a deployment, a batch or a campaign started at this time.'
const LOOK = 'Look at what is being sent: categories, templates and recipient domains in the evidence.'
const misuse = [ASK_OWNER, LOOK, REVOKE, CONFIRM]
const badList = [
  'Ask the owner of the key whether a new list of recipients is being used, and where it comes from.',
  'Look at the reasons of the bounces and drops in the events: unknown users mean a bought or guessed list.',
  REVOKE,
  CONFIRM,
]
const receiver = [
  'See whether one recipient domain has an outage: then nothing is to be done but wait.',
  'Look at the reasons in the events: a block by reputation means that the mail itself is unwanted.',
  'See SendGrid’s status page.',
]

const unattributed = [
  'Look at what is being sent: mail without your custom arguments is what a thief with a stolen key sends.',
  'Find the key in SendGrid under Activity: filter by the time above and look at the API key of a message.',
  'Revoke that key under Settings → API Keys, and make a new one for its owner.',
  'If it is your own new service, let it send the custom argument that the attribution rules expect.',
]

/** What to do next, in order, for each signal. */
const steps: Readonly<Record<Signal, readonly string[]>> = {
  'volume.spike': misuse,
  'volume.ramp': misuse,
  'volume.off_hours': misuse,
  'volume.drop': [
    'Ask the owner of the key whether its service is down or was switched off.',
    'Look in SendGrid under Settings → API Keys whether the key still exists: SendGrid revokes keys that leaked.',
  ],
  'rate.bounce': badList,
  'rate.drop': badList,
  'rate.spam_report': misuse,
  'rate.unsubscribe': misuse,
  'rate.defer': receiver,
  'novelty.sender': misuse,
  'novelty.category': misuse,
  'novelty.template': misuse,
  'novelty.url_domain': [
    'Open no link. Look up who registered the host of the new link and when.',
    ASK_OWNER,
    REVOKE,
    CONFIRM,
  ],
  'mix.recipient_domain': misuse,
  'key.new': [
    'Check that somebody made this key on purpose; if not, revoke it under Settings → API Keys.',
    'Tell its owner that it is being watched from now on.',
  ],
  'key.dormant_woke': [
    'Ask who still uses this key: one that nobody missed for weeks is not needed.',
    REVOKE,
    CONFIRM,
  ],
  'key.retired_used': [
    'Revoke the key now under Settings → API Keys: nobody should be using it.',
    'Find out where the key was kept, and what else was kept there.',
  ],
  'key.unattributed': unattributed,
  'key.overflow': [
    'Look for names that change with every message: an attribution rule that reads a message id makes a key a mail.',
    'Correct the attribution rule, or raise detector.live_keys_max.',
  ],
  'fleet.shift': [
    'Look for one cause: a deployment, an incident at SendGrid, or a place where all these keys were kept.',
    'If the mail itself is strange, treat every key in the list as stolen.',
  ],
  'source.silent': [
    'Check in SendGrid under Settings → Mail Settings → Event Webhook that the webhook is on and its URL is right.',
    'Check that the ingest service answers at that URL, and look for rejected requests in its metrics.',
    'A key that SendGrid revoked, or a suspended account, is silent too: look at the account’s state.',
  ],
  'account.status_changed': [
    'Open the SendGrid account and read the notice from SendGrid’s compliance team.',
    'Look for open alerts on its keys: a suspension often follows misuse.',
  ],
  'schema.unknown_field': [
    'Look at the new field in the events, and tell the maintainers of this installation.',
  ],
  'pipeline.lag': [
    'Look at the detector’s and the warehouse’s logs: alerts come late until it has caught up.',
  ],
  'pipeline.test': ['Nothing to do: a person asked for this test.'],
}

export function nextSteps(signal: Signal, key: string): string[] {
  const isUnknownKey = key === UNATTRIBUTED && steps[signal] === misuse
  return [...(isUnknownKey ? unattributed : steps[signal])]
}

import type { Audience } from './audience.ts'
import type { Habit, Volume } from './habit.ts'
import type { SimulatorSource } from './sources.ts'

/** How a custom argument's values look. */
export type ArgumentKind =
  'uuid' | 'integer' | 'hex' | 'address' | 'time' | { readonly oneOf: readonly string[] }

export type Template = { readonly id: string; readonly name: string }

/** What the sending software puts on a message; anything absent here is absent from the events. */
export type Content = {
  /** A single name is sent as a string, several as an array; the empty list is no category. */
  readonly categories: readonly (readonly [names: readonly string[], weight: number])[]
  readonly templates: readonly (readonly [Template, weight: number])[]
  readonly customArguments: Readonly<Record<string, ArgumentKind>>
  readonly pool?: { readonly name: string; readonly id: number }
  readonly asmGroupId?: number
  /** Newsletters: one campaign per send, numbered from the send's time. */
  readonly campaignName?: string
  readonly senderDomain: string
  /** Links in the message; one is drawn for each click. */
  readonly links: readonly string[]
  /** Beside the others, a category of each message's own, with this before its number; some software makes such. */
  readonly numberedCategory?: string
  /** Host part of the Message-ID: SendGrid's own for API mail, the sender's for SMTP relay. */
  readonly smtpIdHosts: readonly string[]
}

/** Chances, each per message that got so far. */
export type Rates = {
  readonly drop: number
  readonly bounce: number
  /** Deferred at least once; most are delivered later. */
  readonly defer: number
  /** A person opens a delivered message; `openMedianMinutes` after delivery. */
  readonly open: number
  readonly openMedianMinutes: number
  /** A privacy proxy opens a delivered message within two minutes. */
  readonly machineOpen: number
  /** A person who opened clicks a link. */
  readonly click: number
  readonly spamReport: number
  readonly spamReportMedianMinutes: number
  /** A person who opened leaves: the whole list, or the group where the content has one. */
  readonly unsubscribe: number
}

/** Which kinds of bounces a key's recipients cause: a well-kept list or a bought one. */
export type ListQuality = 'kept' | 'bought'

/** From one instant to another, milliseconds since the epoch; the end is not included. */
export type Span = { readonly fromMs: number; readonly toMs: number }

/** From some time on, or for some time, a key sends other content: a deployment. */
export type ContentChange = Span & { readonly scenario: string; readonly content: Content }

/**
 * Something between SendGrid and recipients: a domain whose servers are down, or deferrals everywhere. It meets
 * `share` of the messages accepted meanwhile.
 */
export type Trouble = Span & {
  readonly scenario: string
  readonly kind: 'domain_down' | 'deferrals'
  /** Absent: every domain's. */
  readonly recipientDomain?: string
  readonly share: number
}

/** One API key of the simulated organisation, or somebody else who uses one: everything its traffic follows from. */
export type KeyProfile<Source extends string = SimulatorSource> = {
  readonly name: string
  /** Set on traffic that is there because of a scenario: names that scenario, and its random streams apart from the key's. */
  readonly scenario?: string
  /** Tells several senders of one scenario under one key apart. */
  readonly part?: string
  readonly source: Source
  readonly habit: Habit
  /** Absent: for ever. */
  readonly active?: Span
  readonly volume?: Volume
  readonly content: Content
  readonly changes?: readonly ContentChange[]
  readonly audience: Audience
  /** Name of the key whose very recipients these are; absent: nobody else's. */
  readonly audienceOf?: string
  readonly listQuality: ListQuality
  readonly rates: Rates
  readonly troubles?: readonly Trouble[]
}

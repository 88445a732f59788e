import type { Audience } from './audience.ts'
import type { Habit } from './habit.ts'
import type { SimulatorSource } from './sources.ts'

/** How a custom argument's values look. */
export type ArgumentKind = 'uuid' | 'integer' | 'hex' | { readonly oneOf: readonly string[] }

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

/** Attacks that can be asked for. */
export const attackNames = ['stolen-key'] as const
export type AttackName = (typeof attackNames)[number]

/** One API key of the simulated organisation, or the thief of one: everything its traffic follows from. */
export type KeyProfile = {
  readonly name: string
  /** Set when somebody else uses the key. */
  readonly attack?: AttackName
  readonly source: SimulatorSource
  readonly habit: Habit
  readonly content: Content
  readonly audience: Audience
  readonly listQuality: ListQuality
  readonly rates: Rates
}

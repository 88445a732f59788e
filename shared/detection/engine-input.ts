import type { VolumeUnit } from './volume/volume-unit.ts'

/** One event, each given once: duplicates are removed before the engine. */
export type EngineEvent = {
  readonly source: string
  readonly key: string
  /** SendGrid's event type. */
  readonly event: string
  /** Event time, seconds since the epoch. */
  readonly timestamp: number
  /** Arrival time, milliseconds since the epoch. */
  readonly receivedAtMs: number
  /** The rule that named the key. */
  readonly attribution: string
  /** Of an `account_status_change` only: what SendGrid says happened. */
  readonly accountStatus?: string
  readonly facts?: EventFacts
}

/** Stands where an event was stored before fingerprints were made. */
export const UNKNOWN_FINGERPRINT = '0'

/** What an event says about who sent what to whom. Absent values are the empty string. */
export type EventFacts = {
  /** A hash of the recipient, 32 bits; 0 without a recipient. */
  readonly recipient: number
  /** Lower case. */
  readonly recipientDomain: string
  /** Fingerprint of the sending software: names present and the kinds of their values; '0' where it is not known. */
  readonly fingerprint: string
  /** The Message-ID's host with digits as `#`: the sending host of SMTP mail, a family of SendGrid's own otherwise. */
  readonly senderHost: string
  readonly template: string
  /** Categories joined by a comma and a space, in the order of the alphabet. */
  readonly categories: string
  readonly pool: string
  readonly campaign: string
  /** Of a click: the host of the link, lower case. */
  readonly linkHost: string
  /** Of a bounce: SendGrid's class, such as `Invalid Address`. */
  readonly bounceClass: string
  readonly machineOpen: boolean
}

/** What is stored about a source as a whole. */
export type StoredSource = {
  readonly source: string
  /** First event of the source, seconds; undefined when nothing is stored. */
  readonly firstSeen: number | undefined
  /** Undefined where the source has too little history to tell. */
  readonly unit: VolumeUnit | undefined
  /** Messages of the last weeks, and how many of them no rule attributed. */
  readonly messages: number
  readonly unattributedMessages: number
}

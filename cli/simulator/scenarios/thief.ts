import type { ArgumentKind, Content, KeyProfile, Rates, Span } from '../key-profile.ts'
import type { Habit, Volume } from '../habit.ts'
import { below, logNormal, pick, plainText, type Random } from '../random.ts'
import { templateId } from '../usual-habits.ts'
import { drawThiefAudience, type ThiefAudience } from './thief-audience.ts'

/** How much of the owner's messages a thief imitates. */
export type Copied = 'nothing' | 'arguments' | 'everything'

const OWN_HOSTS = [
  'localhost.localdomain',
  'DESKTOP-7Q2M4KD',
  'WIN-9F3VB1T0',
  'mailer.local',
  'ip-172-31-20-9.ec2.internal',
]
const LURES = ['account-verify', 'secure-login', 'invoice-portal', 'parcel-fee', 'wallet-restore', 'hr-docs']

/** A host of Message-IDs: SendGrid's own like the owner's for a script over the API, else the script's machine. */
export function drawTransport(victim: KeyProfile<string>, random: Random): readonly string[] {
  const chance = random.next()
  if (chance < 0.4) return ['geopod-ismtpd-3', 'geopod-ismtpd-18', 'geopod-ismtpd-22']
  if (chance < 0.5) return victim.content.smtpIdHosts
  if (chance < 0.8) return [`vps-${10_000 + below(random, 90_000)}.hosting-${below(random, 40)}.example`]
  return [pick(random, OWN_HOSTS)]
}

export const drawLure = (random: Random) =>
  `https://${pick(random, LURES)}-${plainText(random, 4)}.example/${plainText(random, 8)}`

/** What the thief's messages carry. The owner's name of the key goes with the arguments. */
export function drawThiefContent(victim: KeyProfile<string>, copied: Copied, random: Random): Content {
  const own = victim.content
  const bare: Content = {
    categories: [[[], 1]],
    templates: [],
    customArguments: {},
    senderDomain: own.senderDomain,
    links: [drawLure(random)],
    smtpIdHosts: drawTransport(victim, random),
  }
  switch (copied) {
    case 'nothing':
      return drawBare(bare, random)
    case 'arguments':
      return {
        ...bare,
        customArguments: drawArguments(own.customArguments, random),
        categories: copiedCategories(own, random.next() < 0.6),
        templates: random.next() < 0.35 ? own.templates : [],
        ...(own.pool !== undefined && random.next() < 0.5 ? { pool: own.pool } : {}),
      }
    case 'everything':
      return {
        ...own,
        links: bare.links,
        smtpIdHosts: random.next() < 0.7 ? own.smtpIdHosts : bare.smtpIdHosts,
      }
    default:
      return copied satisfies never
  }
}

/** A script without any of it; now and then with something of its own. */
function drawBare(bare: Content, random: Random): Content {
  const chance = random.next()
  if (chance < 0.65) return bare
  if (chance < 0.8) return { ...bare, categories: [[[pick(random, ['campaign', 'promo', 'mailing'])], 1]] }
  if (chance < 0.9) return { ...bare, customArguments: { [pick(random, ['id', 'batch', 'uid'])]: 'integer' } }
  const name = plainText(random, 8)
  return { ...bare, templates: [[{ id: templateId(`own-${name}`), name }, 1]] }
}

/** The arguments by which a key is named stay right; of the others some thieves get the kind of value wrong. */
function drawArguments(own: Content['customArguments'], random: Random): Content['customArguments'] {
  const careless = random.next() < 0.35
  const wrongKinds: readonly ArgumentKind[] = [{ oneOf: ['1'] }, { oneOf: ['test'] }, 'hex', 'integer']
  return Object.fromEntries(
    Object.entries(own).map(([name, kind]): [string, ArgumentKind] => [
      name,
      careless && name !== 'api_key_id' && random.next() < 0.6 ? pick(random, wrongKinds) : kind,
    ]),
  )
}

/** All of the owner's categories, or only the one that names the key. */
function copiedCategories(own: Content, all: boolean): Content['categories'] {
  if (all) return own.categories
  const naming = own.categories[0]?.[0].filter((name) => name.startsWith('key:')) ?? []
  return [[naming, 1]]
}

/** How a thief's list answers; people near the owner's recipients bounce less. */
export function drawThiefRates(random: Random, near: boolean): Rates {
  const between = (low: number, high: number) => low + (high - low) * random.next()
  return {
    drop: near ? between(0.002, 0.02) : between(0.01, 0.08),
    bounce: near ? between(0.008, 0.04) : between(0.025, 0.18),
    defer: between(0.02, 0.1),
    open: between(0.05, 0.28),
    openMedianMinutes: logNormal(random, 45, 0.7),
    machineOpen: between(0.05, 0.2),
    click: between(0.02, 0.25),
    spamReport: Math.min(0.03, logNormal(random, 0.004, 0.8)),
    spamReportMedianMinutes: logNormal(random, 90, 0.6),
    unsubscribe: 0,
  }
}

export type ThiefOptions = {
  readonly id: string
  readonly random: Random
  readonly copied: Copied
  readonly habit: Habit
  readonly active?: Span
  readonly volume?: Volume
  /** Absent: drawn. */
  readonly audience?: ThiefAudience
}

/** Somebody who uses a stolen key: draws whatever is not given. */
export function makeThief(victim: KeyProfile<string>, options: ThiefOptions): KeyProfile<string> {
  const { id, random, copied, habit, active, volume } = options
  const { audience, near } = options.audience ?? drawThiefAudience(victim, random)
  return {
    name: victim.name,
    scenario: id,
    source: victim.source,
    habit,
    ...(active === undefined ? {} : { active }),
    ...(volume === undefined ? {} : { volume }),
    content: drawThiefContent(victim, copied, random),
    audience,
    listQuality: near ? 'kept' : 'bought',
    rates: drawThiefRates(random, near),
  }
}

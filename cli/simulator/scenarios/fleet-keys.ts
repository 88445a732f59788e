import {
  americanConsumers,
  businesses,
  companies,
  domain,
  europeanConsumers,
  type Audience,
} from '../audience.ts'
import type { ArgumentKind, Content, KeyProfile, Rates } from '../key-profile.ts'
import { below, logNormal, pick, plainText, Random } from '../random.ts'
import { apiHosts, newsletter, templateId, transactional } from '../usual-habits.ts'
import { between, wholeBetween } from './draw.ts'
import { habits, type HabitDraw, type HabitName } from './habits.ts'

/** How a key's name reaches us: in a custom argument, in a category, or because its source has no other. */
export type Naming = 'argument' | 'category' | 'source'

export type KeyIdentity = {
  readonly name: string
  readonly source: string
  readonly naming: Naming
  readonly random: Random
  /** When the history begins. */
  readonly startMs: number
  /** Absent: drawn. */
  readonly habit?: HabitName
}

const NEW_KEY_HABITS: readonly HabitName[] = [
  'day-transactional',
  'shop-orders',
  'password-resets',
  'nightly-batch',
  'hourly-batch',
  'international',
]

/** An invented key: habit, people and content that go together. */
export function habitOf(identity: KeyIdentity): KeyProfile<string> {
  const { name, source, random, startMs } = identity
  const draw = habits[identity.habit ?? pick(random, NEW_KEY_HABITS)](random, startMs)
  const { habit, kind } = draw
  const { volume } = { volume: undefined, ...draw }
  return {
    name,
    source,
    habit,
    ...(volume === undefined ? {} : { volume }),
    content: named(drawContent(name, kind, random), identity),
    audience: drawAudience(kind, random),
    listQuality: 'kept',
    rates: drawRates(kind, random),
  }
}

function named(content: Content, { name, naming }: KeyIdentity): Content {
  switch (naming) {
    case 'argument':
      return { ...content, customArguments: { api_key_id: { oneOf: [name] }, ...content.customArguments } }
    case 'category':
      return {
        ...content,
        categories: content.categories.map(([names, weight]) => [[`key:${name}`, ...names], weight] as const),
      }
    case 'source':
      return content
    default:
      return naming satisfies never
  }
}

const ARGUMENTS: readonly (readonly [string, ArgumentKind])[] = [
  ['order_id', 'integer'],
  ['customer_id', 'uuid'],
  ['tenant', 'uuid'],
  ['request_id', 'uuid'],
  ['user_id', 'integer'],
  ['job', 'hex'],
  ['shard', { oneOf: ['0', '1', '2', '3'] }],
  ['locale', { oneOf: ['de', 'en', 'fr', 'it'] }],
  ['created_at', 'time'],
  ['requested_by', 'address'],
]
const WORDS = ['receipt', 'update', 'reminder', 'report', 'welcome', 'alert', 'digest', 'summary', 'notice']

function drawContent(key: string, kind: HabitDraw['kind'], random: Random): Content {
  const campaign = kind === 'campaign'
  const templates = Array.from(
    { length: random.next() < 0.85 ? wholeBetween(random, 1, campaign ? 2 : 5) : 0 },
    (_, index) => {
      const name = `${pick(random, WORDS)} ${plainText(random, 4)}`
      return [{ id: templateId(`${plainText(random, 9)}${index}`), name }, 1 / (index + 1)] as const
    },
  )
  const customArguments = Object.fromEntries(
    ARGUMENTS.filter(() => !campaign && random.next() < 0.25).map(([name, value]) => [name, value]),
  )
  return {
    categories: drawCategories(key, random),
    templates,
    customArguments,
    ...(random.next() < 0.7
      ? { pool: campaign ? { name: 'marketing', id: 118 } : { name: 'transactional', id: 210 } }
      : {}),
    ...(campaign || random.next() < 0.15 ? { asmGroupId: 10_000 + below(random, 9000) } : {}),
    ...(campaign ? { campaignName: `${pick(random, WORDS)} campaign` } : {}),
    ...(kind === 'service' && random.next() < 0.06 ? { numberedCategory: `${pick(random, WORDS)}-` } : {}),
    senderDomain: 'mail.acme.example',
    links: [`https://www.acme.example/${pick(random, WORDS)}`, 'https://www.acme.example/help'],
    smtpIdHosts:
      random.next() < 0.75
        ? apiHosts
        : [`app-${wholeBetween(random, 1, 4)}.acme.example`, 'app-7.acme.example'],
  }
}

function drawCategories(key: string, random: Random): Content['categories'] {
  const chance = random.next()
  if (chance < 0.15) return [[[], 1]]
  if (chance < 0.6) return [[[key], 1]]
  const others = Array.from({ length: wholeBetween(random, 1, 3) }, () => pick(random, WORDS))
  return [[[key], 3], ...others.map((word, index) => [[key, word], 1 / (index + 1)] as const)]
}

function drawAudience(kind: HabitDraw['kind'], random: Random): Audience {
  switch (kind) {
    case 'internal':
    case 'test':
      return drawOffices(kind, random)
    case 'office':
      return { size: Math.round(logNormal(random, 3000, 0.8)), domains: uneven(businesses, random) }
    case 'campaign':
    case 'service': {
      const domains = pick(random, [
        europeanConsumers,
        americanConsumers,
        [...europeanConsumers, ...americanConsumers],
      ])
      return { size: Math.round(logNormal(random, 60_000, 1.2)), domains: uneven(domains, random) }
    }
    default:
      return kind satisfies never
  }
}

/** A few offices, agencies and suppliers; who gets a mail changes from week to week. */
function drawOffices(kind: 'internal' | 'test', random: Random): Audience {
  const offices = Array.from({ length: wholeBetween(random, 1, 6) }, () => {
    const name = pick(random, ['berlin', 'paris', 'boston', 'lyon', 'porto', 'graz', 'agency', 'supplier'])
    return [domain(`${name}-${below(random, 30)}.example`), between(random, 0.2, 1)] as const
  })
  const others =
    kind === 'test'
      ? ([
          [domain('gmail.com'), 0.6],
          [domain('mailinator.example'), 0.4],
        ] as const)
      : random.next() < 0.3
        ? ([[companies('partner', 40), 0.5]] as const)
        : []
  return { size: wholeBetween(random, 5, 120), domains: [[domain('acme.example'), 1], ...offices, ...others] }
}

function uneven(domains: Audience['domains'], random: Random): Audience['domains'] {
  return domains.map(([family, weight]) => [family, weight * logNormal(random, 1, 0.35)] as const)
}

/** Opens are thinned, for they are most of a stream's events and say little. */
const OPENS_KEPT = 0.45

function drawRates(kind: HabitDraw['kind'], random: Random): Rates {
  const usual = kind === 'campaign' ? newsletter : transactional
  const near = (rate: number) => Math.min(0.9, rate * logNormal(random, 1, 0.5))
  return {
    ...usual,
    drop: near(usual.drop),
    bounce: near(usual.bounce),
    defer: near(usual.defer),
    open: near(usual.open) * OPENS_KEPT,
    machineOpen: near(usual.machineOpen) * OPENS_KEPT,
    click: near(usual.click),
    spamReport: near(usual.spamReport),
  }
}

import { UNATTRIBUTED } from '#shared/domain/alert.ts'
import type { KeyProfile } from '../key-profile.ts'
import { pick, pickWeighted, Random } from '../random.ts'
import { habitOf, type Naming } from './fleet-keys.ts'
import type { HabitName } from './habits.ts'
import { shuffled } from './shuffled.ts'

/** How often each habit is met in a fleet. */
const DECK: readonly HabitName[] = [
  'day-transactional',
  'day-transactional',
  'shop-orders',
  'password-resets',
  'nightly-batch',
  'hourly-batch',
  'weekly-newsletter',
  'weekly-newsletter',
  'monthly-invoices',
  'month-end-peak',
  'internal-few',
  'internal-few',
  'weekend-shop',
  'international',
  'growing-start-up',
  'on-and-off',
  'test-key',
  'heavy-mondays',
]

/** SendGrid allows at most 100 keys an account. */
const KEYS_PER_ACCOUNT = 90
const ACCOUNTS = ['main', 'shop', 'apps', 'europe', 'america']
/** Of the accounts, how many also have mail from software that never names its key. */
const NAMELESS_SHARE = 0.3

/**
 * The keys of an invented organisation, all habits in turn: on accounts where messages name their key by a custom
 * argument, on one where a category does, and on sources of their own.
 */
export function drawFleet(options: {
  readonly seed: number
  readonly keys: number
  readonly startMs: number
}): KeyProfile<string>[] {
  const { seed, keys, startMs } = options
  const random = new Random(seed, 12)
  const accounts = ACCOUNTS.slice(0, Math.ceil(keys / KEYS_PER_ACCOUNT))
  const decks = Array.from({ length: Math.ceil(keys / DECK.length) }, () => shuffled(DECK, random)).flat()
  const profiles = decks.slice(0, keys).map((habit, index) => {
    const number = index + 1
    const naming = drawNaming(habit, random)
    const name = `${habit}-${number}`
    const source = sourceOf(naming, number, pick(random, accounts))
    return habitOf({ name, source, naming, startMs, habit, random: new Random(seed, 13, number) })
  })
  const nameless = accounts
    .filter(() => random.next() < NAMELESS_SHARE)
    .map((source, index) => {
      const own = new Random(seed, 14, index)
      const habit = pick(own, ['day-transactional', 'internal-few', 'password-resets'] as const)
      const profile = habitOf({ name: UNATTRIBUTED, source, naming: 'source', startMs, habit, random: own })
      const volume = (atMs: number) => 0.25 * (profile.volume?.(atMs) ?? 1)
      return { ...profile, volume }
    })
  return [...profiles, ...nameless]
}

function drawNaming(habit: HabitName, random: Random): Naming {
  return habit === 'weekly-newsletter'
    ? pickWeighted<Naming>(random, [
        ['category', 7],
        ['source', 3],
      ])
    : pickWeighted<Naming>(random, [
        ['argument', 75],
        ['source', 15],
        ['category', 10],
      ])
}

function sourceOf(naming: Naming, number: number, account: string): string {
  switch (naming) {
    case 'argument':
      return account
    case 'category':
      return 'marketing'
    case 'source':
      return `own-${number}`
    default:
      return naming satisfies never
  }
}

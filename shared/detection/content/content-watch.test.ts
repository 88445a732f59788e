import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../test/support/test-traffic.ts'
import type { EngineEvent, EventFacts } from '../engine-input.ts'
import type { Evidence, EvidenceSink } from '../evidence.ts'
import { scoreOf } from '../incident-score.ts'
import { mixed } from '../statistics/hash-text.ts'
import { decodeContent, encodeContent } from './content-codec.ts'
import { countContent, createContent, type ContentState } from './content-watch.ts'

const DAY = 86_400
const START = Date.UTC(2026, 0, 5) / 1000

type Send = Partial<EventFacts> & { readonly at: number }

/** A sink that keeps the most points of each signal. */
function memorySink() {
  const strongest = new Map<string, Evidence>()
  const sink: EvidenceSink = {
    wants: () => true,
    report: (evidence) => {
      const known = strongest.get(evidence.signal)
      if (known === undefined || evidence.points >= known.points) strongest.set(evidence.signal, evidence)
    },
  }
  return { sink, strongest, total: () => scoreOf(strongest.values()).total }
}

function send(state: ContentState, sink: EvidenceSink, { at, ...facts }: Send): boolean {
  const event: EngineEvent = {
    source: 'main',
    key: 'orders',
    event: 'processed',
    timestamp: at,
    receivedAtMs: at * 1000,
    attribution: 'custom_arg',
  }
  return countContent(state, event, { facts: { ...usual, ...facts }, judged: true }, sink)
}

const usual: EventFacts = {
  recipient: 1,
  recipientDomain: 'gmail.com',
  fingerprint: '77',
  senderHost: 'geopod-ismtpd-#',
  template: 'd-order',
  categories: 'order',
  pool: 'main',
  campaign: '',
  linkHost: '',
  bounceClass: '',
  machineOpen: false,
}

const domains = ['gmail.com', 'outlook.com', 'icloud.com', 'gmx.de', 'web.de', 'firma.example']
const shares = [0.5, 0.7, 0.8, 0.9, 0.97, 1]
const bought = ['yahoo.com', 'hotmail.com', 'aol.com', 'mail.ru', 'yahoo.co.jp', 'gmail.com', 'live.com']

/** Thirty days of a shop: eighty messages a day to its 400 customers. */
function shop(seed: number) {
  const random = seededRandom(seed)
  const state = createContent()
  const heard = memorySink()
  const customer = (): Pick<EventFacts, 'recipient' | 'recipientDomain'> => {
    const number = Math.floor(random() * 400)
    const share = (mixed(number) % 1000) / 1000
    return {
      recipient: number + 1,
      recipientDomain: domains[shares.findIndex((limit) => share < limit)] ?? '',
    }
  }
  const days = (from: number, to: number, more: Partial<EventFacts> = {}) => {
    for (let day = from; day < to; day += 1) {
      for (let message = 0; message < 80; message += 1) {
        send(state, heard.sink, { at: START + day * DAY + message * 600, ...customer(), ...more })
      }
    }
  }
  days(0, 30)
  return { state, random, customer, days, heard }
}

const strangerOf = (random: () => number): Pick<EventFacts, 'recipient' | 'recipientDomain'> => ({
  recipient: 1_000_000 + Math.floor(random() * 1e9),
  recipientDomain: bought[Math.floor(random() * bought.length)] ?? '',
})
const ATTACK = START + 30 * DAY + 43_200

describe('what a key sends and to whom', () => {
  it.each([1, 2, 3])('says next to nothing in a month of usual mail (seed %i)', (seed) => {
    const { heard } = shop(seed)
    expect(heard.total()).toBeLessThan(4)
  })

  it.each([1, 2, 3])(
    'is conclusive within ten messages of another program to a bought list (seed %i)',
    (seed) => {
      const { state, random } = shop(seed)
      const attack = memorySink()
      for (let message = 0; message < 10; message += 1) {
        const odd = {
          fingerprint: '99',
          senderHost: 'vps-#.hosting.example',
          template: '',
          categories: '',
          pool: '',
        }
        send(state, attack.sink, { at: ATTACK + message, ...odd, ...strangerOf(random) })
      }
      expect(attack.total()).toBeGreaterThan(9)
      expect(attack.strongest.get('novelty.sender')?.messages).toBe(10)
      expect(attack.strongest.get('mix.recipient_domain')?.points).toBeGreaterThan(3)
    },
  )

  it.each([1, 2, 3])(
    'is conclusive by the recipients alone where everything else is copied (seed %i)',
    (seed) => {
      const { state, random } = shop(seed)
      const attack = memorySink()
      for (let message = 0; message < 30; message += 1) {
        send(state, attack.sink, { at: ATTACK + message, ...strangerOf(random) })
      }
      expect([...attack.strongest.keys()]).toEqual(['mix.recipient_domain'])
      expect(attack.total()).toBeGreaterThan(6)
    },
  )

  it.each([1, 2, 3])('is no more than a remark for a new template to the same people (seed %i)', (seed) => {
    const { state, customer } = shop(seed)
    const deployment = memorySink()
    for (let message = 0; message < 80; message += 1) {
      send(state, deployment.sink, {
        at: ATTACK + message * 60,
        ...customer(),
        template: 'd-new',
        categories: 'order v2',
      })
    }
    expect(deployment.total()).toBeGreaterThan(2)
    expect(deployment.total()).toBeLessThan(5)
  })

  it('learns a new template overnight, unless the day is not to be learnt from', () => {
    const { state, customer, days } = shop(1)
    days(30, 31, { template: 'd-new' })
    const next = memorySink()
    for (let message = 0; message < 20; message += 1) {
      send(state, next.sink, {
        at: START + 31 * DAY + 43_200 + message * 60,
        ...customer(),
        template: 'd-new',
      })
    }
    expect(next.strongest.get('novelty.template')?.points ?? 0).toBeLessThan(1.5)
  })

  it('goes on exactly alike after it was saved and loaded', () => {
    const { state, random } = shop(4)
    const loaded = decodeContent(JSON.parse(JSON.stringify(encodeContent(state))))
    const kept = memorySink()
    const restored = memorySink()
    for (let message = 0; message < 200; message += 1) {
      const sent = {
        at: ATTACK + message * 700,
        ...strangerOf(random),
        template: message % 3 === 0 ? 'd-x' : 'd-order',
      }
      expect(send(loaded, restored.sink, sent)).toBe(send(state, kept.sink, sent))
    }
    expect([...restored.strongest]).toEqual([...kept.strongest])
    expect(encodeContent(loaded)).toEqual(encodeContent(state))
  })
})

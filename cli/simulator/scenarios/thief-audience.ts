import { boughtList, companies, domain, type Audience } from '../audience.ts'
import type { KeyProfile } from '../key-profile.ts'
import { logNormal, pick, type Random } from '../random.ts'

type Domains = Audience['domains']

const germanList: Domains = [
  [domain('web.de'), 24],
  [domain('gmx.de'), 22],
  [domain('t-online.de'), 21],
  [domain('gmail.com'), 15],
  [domain('freenet.de'), 9],
  [domain('gmx.net'), 6],
  [domain('hotmail.de'), 3],
]
const frenchList: Domains = [
  [domain('orange.fr'), 27],
  [domain('gmail.com'), 20],
  [domain('free.fr'), 17],
  [domain('wanadoo.fr'), 14],
  [domain('sfr.fr'), 10],
  [domain('laposte.net'), 8],
  [domain('hotmail.fr'), 4],
]
const brazilianList: Domains = [
  [domain('gmail.com'), 34],
  [domain('hotmail.com'), 24],
  [domain('uol.com.br'), 15],
  [domain('bol.com.br'), 12],
  [domain('terra.com.br'), 8],
  [domain('yahoo.com.br'), 7],
]
const japaneseList: Domains = [
  [domain('docomo.ne.jp'), 30],
  [domain('yahoo.co.jp'), 26],
  [domain('ezweb.ne.jp'), 20],
  [domain('gmail.com'), 14],
  [domain('i.softbank.jp'), 10],
]
const polishList: Domains = [
  [domain('wp.pl'), 30],
  [domain('o2.pl'), 20],
  [domain('onet.pl'), 18],
  [domain('interia.pl'), 16],
  [domain('gmail.com'), 16],
]
const americanList: Domains = [
  [domain('yahoo.com'), 27],
  [domain('gmail.com'), 22],
  [domain('aol.com'), 15],
  [domain('comcast.net'), 12],
  [domain('att.net'), 8],
  [domain('verizon.net'), 8],
  [domain('cox.net'), 5],
  [domain('sbcglobal.net'), 3],
]
const corporateList: Domains = [
  [companies('biz', 4000), 90],
  [domain('gmail.com'), 6],
  [domain('outlook.com'), 4],
]
const officeList: Domains = [
  [companies('office', 1500), 70],
  [companies('hotel', 600), 20],
  [domain('gmail.com'), 10],
]
const lists: readonly Domains[] = [
  boughtList,
  boughtList,
  germanList,
  frenchList,
  brazilianList,
  japaneseList,
  polishList,
  americanList,
  corporateList,
  officeList,
]

/** Of the thieves, how many send to people much like the owner's: a stolen customer list, or the same country. */
const NEAR_SHARE = 0.2

export type ThiefAudience = { readonly audience: Audience; readonly near: boolean }

/** The list that a thief brings along. */
export function drawThiefAudience(victim: KeyProfile<string>, random: Random): ThiefAudience {
  return random.next() < NEAR_SHARE
    ? { audience: nearAudience(victim, random), near: true }
    : { audience: listAudience(random), near: false }
}

export function listAudience(random: Random): Audience {
  return { size: Math.round(logNormal(random, 400_000, 1)), domains: pick(random, lists) }
}

/** Strangers at the same kinds of domains as the owner's recipients, in somewhat other shares. */
export function nearAudience(victim: KeyProfile<string>, random: Random): Audience {
  const domains = victim.audience.domains.map(
    ([family, weight]) => [family, weight * logNormal(random, 1, 0.5)] as const,
  )
  return { size: Math.round(logNormal(random, 200_000, 1)), domains }
}

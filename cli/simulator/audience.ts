import { below, pickWeighted, plainText, Random } from './random.ts'

/** A domain, or a family of domains: one company out of many, under the reserved top-level domain `.example`. */
export type DomainFamily =
  | { readonly kind: 'domain'; readonly name: string }
  | { readonly kind: 'companies'; readonly word: string; readonly count: number }

/** Who a key writes to: `size` different people, spread over mail providers as the weights say. */
export type Audience = {
  readonly size: number
  readonly domains: readonly (readonly [DomainFamily, number])[]
}

export const domain = (name: string): DomainFamily => ({ kind: 'domain', name })
export const companies = (word: string, count: number): DomainFamily => ({ kind: 'companies', word, count })

/** Consumers in Europe with some business addresses. */
export const europeanConsumers: Audience['domains'] = [
  [domain('gmail.com'), 34],
  [domain('outlook.com'), 11],
  [domain('hotmail.com'), 8],
  [domain('icloud.com'), 9],
  [domain('yahoo.com'), 5],
  [domain('gmx.de'), 8],
  [domain('web.de'), 6],
  [domain('orange.fr'), 3],
  [domain('libero.it'), 2],
  [companies('firma', 400), 14],
]

export const americanConsumers: Audience['domains'] = [
  [domain('gmail.com'), 48],
  [domain('yahoo.com'), 13],
  [domain('icloud.com'), 12],
  [domain('outlook.com'), 8],
  [domain('hotmail.com'), 6],
  [domain('aol.com'), 3],
  [domain('comcast.net'), 2],
  [companies('corp', 300), 8],
]

/** Business customers: a long tail of companies, a few on free mail. */
export const businesses: Audience['domains'] = [
  [companies('company', 900), 82],
  [domain('gmail.com'), 9],
  [domain('outlook.com'), 6],
  [domain('gmx.de'), 3],
]

export const staff: Audience['domains'] = [[domain('acme.example'), 1]]

/** A list bought somewhere: free mail all over the world, hardly a company. */
export const boughtList: Audience['domains'] = [
  [domain('yahoo.com'), 26],
  [domain('hotmail.com'), 21],
  [domain('gmail.com'), 18],
  [domain('aol.com'), 12],
  [domain('mail.ru'), 8],
  [domain('yahoo.co.jp'), 6],
  [domain('live.com'), 5],
  [domain('comcast.net'), 4],
]

/**
 * The address of one member of an audience, always the same for one number. Local parts are random text behind a
 * prefix, so that no real person's address is made.
 */
export function recipientOf(audience: Audience, member: number, audienceNumber: number): string {
  const random = new Random(audienceNumber, member)
  const family = pickWeighted(random, audience.domains)
  const local = `kw-${plainText(random, 9)}`
  if (family.kind === 'domain') return `${local}@${family.name}`
  // The cube makes a few companies large and most of them small.
  const company = Math.floor(family.count * random.next() ** 3)
  return `${local}@${family.word}-${company}.example`
}

/** A member drawn evenly. */
export function drawMember(audience: Audience, random: Random): number {
  return below(random, audience.size)
}

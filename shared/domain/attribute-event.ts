import { AppError } from '#shared/runtime/app-error.ts'
import { EVERY, OVERFLOW, UNATTRIBUTED } from './alert.ts'
import type { AttributionRule } from './attribution-rule.ts'
import { cutText } from './normalise-text.ts'
import { isRecord } from './normalise-value.ts'
import type { Attribution } from './log-message.ts'

/** Longest name of a key, UTF-16 units. */
const KEY_UNITS_MAX = 128
const DETAIL_UNITS_MAX = 256
const reserved: ReadonlySet<string> = new Set([UNATTRIBUTED, OVERFLOW, EVERY])
/**
 * Control and format characters, line separators, and what fonts draw as nothing (fillers, variation selectors, the
 * blank Braille pattern): invisible in an alert, so two names could look alike.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu
const ORDINARY_KEY = /^[!-~]{1,128}$/

type Event = { readonly [name: string]: unknown }
type Match = { readonly key: string; readonly detail?: string }
type Matcher = (event: Event) => Match | undefined
export type AttributedKey = { readonly key: string; readonly attribution: Attribution }

/**
 * The rules of one source: its own if it has any; else `source` where it declares itself to be one key's; else
 * those of the whole configuration.
 */
export function attributionRulesFor(
  source: {
    readonly key?: string | undefined
    readonly attribution?: readonly AttributionRule[] | undefined
  },
  general: readonly AttributionRule[],
): readonly AttributionRule[] {
  return source.attribution ?? (source.key === undefined ? general : [{ source: true }])
}

/**
 * Makes the function that names the key of each event of one source, by the first rule that matches.
 *
 * A name in an event is a claim of its sender: it is trimmed, cleared of invisible characters, cut to 128, and
 * cannot be one of the reserved names. `key` is what rule `source` answers, the source's own name if absent. A
 * configured name that is reserved or empty throws the AppError `CONFIG_INVALID`. The event must be
 * normalised. `attribution.detail` says what the rule went by: the argument's name, the category, the domain, ….
 */
export function createAttributor(options: {
  readonly source: string
  readonly key?: string | undefined
  readonly rules: readonly AttributionRule[]
}): (event: Event) => AttributedKey {
  const chain = options.rules.map((rule) => createMatcher(rule, options.key ?? options.source))
  return function attributeEvent(event) {
    for (const { rule, match } of chain) {
      const found = match(event)
      if (found === undefined) continue
      const { key, detail } = found
      return {
        key,
        attribution: detail === undefined ? { rule } : { rule, detail: cutText(detail, DETAIL_UNITS_MAX) },
      }
    }
    return { key: UNATTRIBUTED, attribution: { rule: 'unattributed' } }
  }
}

type NamedMatcher = { readonly rule: Attribution['rule']; readonly match: Matcher }

function createMatcher(rule: AttributionRule, sourceKey: string): NamedMatcher {
  if ('custom_arg' in rule) return { rule: 'custom_arg', match: byCustomArg(rule.custom_arg) }
  if ('category_prefix' in rule) return { rule: 'category_prefix', match: byCategory(rule.category_prefix) }
  if ('source' in rule) {
    const key = configuredKey(sourceKey)
    return { rule: 'source', match: () => ({ key }) }
  }
  if ('sender_domain' in rule) return { rule: 'sender_domain', match: bySenderDomain(rule.sender_domain) }
  if ('template' in rule)
    return { rule: 'template', match: byField(rule.template, ['sg_template_id', 'template_id']) }
  if ('pool' in rule) return { rule: 'pool', match: byPool(rule.pool) }
  if ('marketing_campaign' in rule) {
    const fields = ['marketing_campaign_id', 'singlesend_id']
    return { rule: 'marketing_campaign', match: byField(rule.marketing_campaign, fields) }
  }
  return { rule: 'account_from_event_id', match: byAccount }
}

function byCustomArg(name: string): Matcher {
  return (event) => {
    const key = claimedKey(Object.hasOwn(event, name) ? event[name] : undefined)
    return key === undefined ? undefined : { key, detail: name }
  }
}

function byCategory(prefix: string): Matcher {
  return (event) => {
    const { category } = event
    const categories: unknown[] = Array.isArray(category) ? category : [category]
    for (const candidate of categories) {
      if (typeof candidate !== 'string' || !candidate.startsWith(prefix)) continue
      const key = claimedKey(candidate.slice(prefix.length))
      if (key !== undefined) return { key, detail: candidate }
    }
    return undefined
  }
}

function byField(keys: Readonly<Record<string, string>>, fields: readonly string[]): Matcher {
  const lookUp = createLookUp(keys)
  return (event) => {
    for (const field of fields) {
      const match = lookUp(event[field])
      if (match !== undefined) return match
    }
    return undefined
  }
}

function byPool(keys: Readonly<Record<string, string>>): Matcher {
  const lookUp = createLookUp(keys)
  return ({ pool }) => lookUp(isRecord(pool) ? pool['name'] : pool)
}

/**
 * The sender's domain is in two places only: in `from`, which SendGrid sends with deferrals (and which some
 * senders set as a custom argument), and after the @ of `smtp-id`, the Message-ID header, where the sender made
 * that header; SendGrid's own has a host of sendgrid.net. A rule for a domain holds for its subdomains; the
 * closest one wins.
 */
function bySenderDomain(keys: Readonly<Record<string, string>>): Matcher {
  const lookUp = createLookUp(
    Object.fromEntries(Object.entries(keys).map(([domain, key]) => [domain.toLowerCase(), key])),
  )
  return (event) => {
    for (const field of ['from', 'smtp-id']) {
      let domain = domainOf(event[field])
      while (domain !== undefined) {
        const match = lookUp(domain)
        if (match !== undefined) return match
        const dot = domain.indexOf('.')
        domain = dot === -1 ? undefined : domain.slice(dot + 1)
      }
    }
    return undefined
  }
}

/** Longest domain name in the DNS, RFC 1035 section 2.3.4; it bounds the search through the parents as well. */
const DOMAIN_UNITS_MAX = 253

/** The domain of `a@example.com`, `Name <a@example.com>` or `<id@host>`, in lower case. */
function domainOf(address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined
  const domain = address.slice(address.lastIndexOf('@') + 1).trim()
  if (domain.length === address.length || domain.length > DOMAIN_UNITS_MAX) return undefined
  return domain.replace(/[>\s.]+$/, '').toLowerCase()
}

/**
 * Ids of delivery events are base64 of `processed-ACCOUNT-MESSAGE-0` or `bounce-0-ACCOUNT-MESSAGE-0`, where
 * ACCOUNT is the number of the account or subuser. Seen in the published vectors and undocumented, so an id
 * that does not read like this is simply no match; those of opens and clicks never do.
 */
const ACCOUNT_IN_ID = /^[a-z_]{1,32}-(?:\d{1,3}-)?(\d{4,20})-/

function byAccount({ sg_event_id: id }: Event): Match | undefined {
  if (typeof id !== 'string') return undefined
  const account = ACCOUNT_IN_ID.exec(Buffer.from(id, 'base64').toString('latin1'))?.[1]
  return account === undefined ? undefined : { key: `account:${account}`, detail: account }
}

function createLookUp(keys: Readonly<Record<string, string>>): (value: unknown) => Match | undefined {
  const byName = new Map(Object.entries(keys).map(([name, key]) => [name, configuredKey(key)]))
  return (value) => {
    const name = typeof value === 'number' ? String(value) : value
    if (typeof name !== 'string') return undefined
    const key = byName.get(name)
    return key === undefined ? undefined : { key, detail: name }
  }
}

/** The name of a key as an event claims it, or undefined where it cannot be one. */
function claimedKey(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return undefined
  const name = ORDINARY_KEY.test(value)
    ? value
    : cutText(value.toWellFormed().replace(INVISIBLE, '').trim(), KEY_UNITS_MAX).trim()
  return name === '' || isReserved(name) ? undefined : name
}

/** In any spelling that reads alike: capitals, full-width letters, ligatures. */
function isReserved(name: string): boolean {
  return reserved.has(ORDINARY_KEY.test(name) ? name.toLowerCase() : name.normalize('NFKC').toLowerCase())
}

function configuredKey(name: string): string {
  const key = claimedKey(name)
  if (key !== undefined) return key
  throw new AppError(
    'CONFIG_INVALID',
    `An attribution rule names the key ${JSON.stringify(name)}, which is empty or reserved; choose another name.`,
    { retriable: false },
  )
}

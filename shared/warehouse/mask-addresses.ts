/** What stands for the local part of an address. */
const MASK = '***'

/**
 * Characters that may be part of an address's local part: those of RFC 5322's dot-atom, `%` (an encoded
 * character) and everything outside ASCII (RFC 6531).
 */
const LOCAL_PART = /[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\u0080-\uffff-]/
/** Between the local part and the domain: `@`, or `@` percent-encoded once or twice as it stands in links. */
const AT_SIGN = /@|%(?:25)?40/g
/** A domain begins with a letter, a digit, or `[` before an address literal. */
const DOMAIN_START = /[A-Za-z0-9[\u0080-\uffff]/
/** What ends the walk back in a link, so that its host and path stay readable. */
const LINK_DELIMITER = /[/?&=#]/

/**
 * Replaces the local part of every e-mail address in a text by `***`; domains stay, they are evidence.
 *
 * Masks too much rather than too little. Takes time linear in the text's length, whatever it holds.
 */
export function maskAddresses(text: string): string {
  if (!text.includes('@') && !text.includes('40')) return text
  let masked = ''
  let copied = 0
  AT_SIGN.lastIndex = 0
  for (let at = AT_SIGN.exec(text); at !== null; at = AT_SIGN.exec(text)) {
    const next = text.charAt(at.index + at[0].length)
    if (!DOMAIN_START.test(next)) continue
    const start = localPartStart(text, { from: copied, at: at.index, encoded: at[0] !== '@' })
    if (start === at.index) continue
    masked += text.slice(copied, start) + MASK
    copied = at.index
  }
  return copied === 0 ? text : masked + text.slice(copied)
}

/** A link's scheme and host, with the `/`, `?` or `#` that ends them. */
const LINK_START = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*[/?#]?/i

/**
 * The same for a link, whose host is evidence and stays: an address in the path or after it takes what stands before
 * it with itself, which would be the host too.
 */
export function maskLink(link: string): string {
  if (!link.includes('@') && !link.includes('40')) return link
  const start = LINK_START.exec(link)?.[0] ?? ''
  const scheme = start.slice(0, start.indexOf('//') + 2)
  return scheme + maskAddresses(start.slice(scheme.length)) + maskAddresses(link.slice(start.length))
}

/** Where the local part that ends before `at` begins; never before `from`, which is already written. */
function localPartStart(
  text: string,
  { from, at, encoded }: { readonly from: number; readonly at: number; readonly encoded: boolean },
): number {
  if (at > from && text.charAt(at - 1) === '"') {
    const quote = text.lastIndexOf('"', at - 2)
    if (quote >= from) return quote
  }
  let start = at
  while (start > from && LOCAL_PART.test(text.charAt(start - 1))) {
    if (encoded && LINK_DELIMITER.test(text.charAt(start - 1))) break
    start -= 1
  }
  return start
}

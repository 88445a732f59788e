const replacements: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/**
 * Text as it may stand in an element or in a quoted attribute. Control characters and marks that turn the direction of
 * writing are shown by their number: a key's name is its sender's choice and must not rearrange the page.
 */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[&<>"']/g, (character) => replacements.get(character) ?? '')
    .replaceAll(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, codePoint)
}

function codePoint(character: string): string {
  if (character === '\n' || character === '\t') return ' '
  return `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`
}

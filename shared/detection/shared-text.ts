const known = new Map<string, string>()
/** Beyond this the texts met are forgotten; whoever holds them keeps them. Some 5 MB; no text of an event is long. */
const TEXTS_MAX = 50_000

/**
 * The same text, as the one object that all keys share. Each event brings its texts as objects of its own, and what
 * ten thousand keys remember of `gmail.com` or of one sending program would otherwise be there ten thousand times.
 */
export function sharedText(text: string): string {
  const met = known.get(text)
  if (met !== undefined) return met
  if (known.size >= TEXTS_MAX) known.clear()
  known.set(text, text)
  return text
}

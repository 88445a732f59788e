import { EVERY, type Alert } from './alert.ts'
import { describeEvidence } from './evidence-text.ts'
import { describeNumber } from './number-text.ts'

/** What became of an alert, as a channel tells it. The first word a channel hears of an alert is `opened`. */
export type AlertChange = 'opened' | 'changed' | 'resolved'

export type LabelledText = { readonly label: string; readonly text: string }

/** An alert in words: plain text without any invisible character, ready for a channel to lay out. */
export type AlertText = {
  readonly title: string
  readonly sentence: string
  readonly facts: readonly LabelledText[]
  readonly evidence: readonly string[]
  readonly nextSteps: readonly string[]
  readonly references: readonly LabelledText[]
}

const NAME_LENGTH_MAX = 80
const SENTENCE_LENGTH_MAX = 1000
const LINE_LENGTH_MAX = 300
const EVIDENCE_LINES_MAX = 12
const REFERENCES_MAX = 6

/**
 * Controls, format characters (bidirectional overrides, zero-width and tag characters), unpaired surrogates
 * and the two Unicode line ends: whatever could hide or reorder text, or drive a terminal.
 */
const INVISIBLE = /^[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]$/u

/**
 * Makes text from outside safe to show: tabs and line ends become blanks, every other invisible character
 * becomes its visible escape (`\u{202e}`), and what is longer than `lengthMax` (in UTF-16 units) ends in `…`.
 */
export function visibleText(text: string, lengthMax: number): string {
  return cutText(text, lengthMax, visibleCharacter)
}

/**
 * Replaces each character by what `show` gives for it and cuts before `lengthMax`, never inside a character or
 * inside what replaced it. Work and memory are bounded by `lengthMax`, however long the text is.
 */
export function cutText(text: string, lengthMax: number, show: (character: string) => string): string {
  let shown = ''
  let cut = ''
  for (const character of text) {
    const piece = show(character)
    if (shown.length + piece.length > lengthMax) return `${cut}…`
    shown += piece
    if (shown.length < lengthMax) cut = shown
  }
  return shown
}

function visibleCharacter(character: string): string {
  if (character === '\n' || character === '\r' || character === '\t') return ' '
  if (!INVISIBLE.test(character)) return character
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}

/** Puts an alert into words. Pure: the same alert and change always give the same text. */
export function describeAlert(alert: Alert, change: AlertChange): AlertText {
  return {
    title: `${alert.severity.toUpperCase()} ${change}: ${alert.signal} ${describeEntity(alert)}`,
    sentence: visibleText(alert.summary, SENTENCE_LENGTH_MAX),
    facts: describeFacts(alert),
    evidence: describeEvidence(alert.evidence)
      .slice(0, EVIDENCE_LINES_MAX)
      .map((line) => visibleText(line, LINE_LENGTH_MAX)),
    // When it is over there is nothing left to do at once.
    nextSteps:
      change === 'resolved' ? [] : alert.next_steps.map((step) => visibleText(step, LINE_LENGTH_MAX)),
    references: describeReferences(alert),
  }
}

function describeEntity(alert: Alert): string {
  if (alert.source === EVERY) return 'on the whole fleet'
  const source = visibleText(alert.source, NAME_LENGTH_MAX)
  if (alert.key === EVERY) return `on source ${source}`
  return `on key ${visibleText(alert.key, NAME_LENGTH_MAX)} (source ${source})`
}

function describeFacts(alert: Alert): readonly LabelledText[] {
  const window = alert.window_seconds === 0 ? '' : ` in ${describeDuration(alert.window_seconds)}`
  const range = `${describeNumber(alert.expected_low)} to ${describeNumber(alert.expected_high)}`
  const facts: LabelledText[] = [
    { label: 'Observed', text: `${describeNumber(alert.observed)}${window}` },
    { label: 'Expected', text: `${describeNumber(alert.expected)} (usual range ${range})` },
    { label: 'Sent before the alarm', text: `${describeNumber(alert.messages_before_alarm)} messages` },
    { label: 'Since', text: describeInstant(alert.started_at) },
    { label: 'Detected', text: describeInstant(alert.detected_at) },
  ]
  if (alert.ended_at !== null) facts.push({ label: 'Ended', text: describeInstant(alert.ended_at) })
  facts.push({ label: 'Alert', text: visibleText(alert.alert_id, NAME_LENGTH_MAX) })
  return facts
}

/** Only web addresses and the project's own runbooks are shown: any other scheme where people click is a trap. */
function describeReferences(alert: Alert): readonly LabelledText[] {
  return [['Runbook', alert.runbook_url] as const, ...Object.entries(alert.links)]
    .filter(([, url]) => /^(https?:\/\/[^\s]+|docs\/[\w.#-]+)$/.test(url))
    .slice(0, REFERENCES_MAX)
    .map(([label, url]) => ({
      label: visibleText(label, NAME_LENGTH_MAX),
      text: visibleText(url, LINE_LENGTH_MAX),
    }))
}

function describeDuration(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`
  if (seconds % 3600 === 0) return `${seconds / 3600} h`
  if (seconds % 60 === 0) return `${seconds / 60} min`
  return `${seconds} s`
}

function describeInstant(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`
}

import type { EventReader, ReadEvent } from './read-event.ts'

type Accepted = Extract<ReadEvent, { kind: 'event' }>

/** What became of a line. */
export type LineOutcome = Accepted | { readonly kind: 'bad'; readonly line: number; readonly fault: string }

/** Reads lines one after the other and keeps the arrival clock. */
export type ArrivalGuard = {
  /** Outcomes are given in order; that of a line may wait for the line after it. */
  readonly take: (value: unknown, line: number) => void
  /** There are no more lines. */
  readonly end: () => void
}

const DAY_MS = 86_400_000
/** A line that lies so far ahead of the one before it needs a second that says the same. */
const JUMP_MS = 2 * DAY_MS
/** How much earlier than the first the second may be. */
const AGREEMENT_MS = DAY_MS
/** Not even the last line lies so far ahead. */
const LAST_JUMP_MS = 400 * DAY_MS

/**
 * Keeps a single line with a time far in the future from moving the clock: all events behind it would count as late,
 * and nothing would be judged any more. Files have gaps of days, so a jump is believed when the next line makes it too.
 */
export function createArrivalGuard(
  readEvent: EventReader,
  onOutcome: (outcome: LineOutcome) => void,
): ArrivalGuard {
  let clockMs = 0
  let held: { readonly read: Accepted; readonly line: number } | undefined

  const accept = (read: Accepted) => {
    clockMs = read.event.receivedAtMs
    onOutcome(read)
  }
  const refuseHeld = () => {
    if (held !== undefined) {
      onOutcome({
        kind: 'bad',
        line: held.line,
        fault: 'its time lies days after those of the lines around it',
      })
    }
    held = undefined
  }
  return {
    take: (value, line) => {
      const read = readEvent(value, clockMs)
      if (read.kind === 'bad') {
        onOutcome({ ...read, line })
        return
      }
      const isJump = clockMs > 0 && read.event.receivedAtMs - clockMs > JUMP_MS
      if (
        held !== undefined &&
        isJump &&
        read.event.receivedAtMs >= held.read.event.receivedAtMs - AGREEMENT_MS
      ) {
        accept(held.read)
        held = undefined
        // Once more, because the clock has moved: no line arrives before the one above it.
        const again = readEvent(value, clockMs)
        if (again.kind === 'event') accept(again)
        return
      }
      refuseHeld()
      if (isJump) held = { read, line }
      else accept(read)
    },
    end: () => {
      if (held !== undefined && held.read.event.receivedAtMs - clockMs <= LAST_JUMP_MS) accept(held.read)
      else refuseHeld()
      held = undefined
    },
  }
}

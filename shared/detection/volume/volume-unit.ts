/**
 * The events that count as one message to one recipient. An account may have `processed` switched off; then every
 * message still ends in one of the three others.
 */
export type VolumeUnit = 'processed' | 'outcomes'

export const volumeEvents: Readonly<Record<VolumeUnit, readonly string[]>> = {
  processed: ['processed'],
  outcomes: ['delivered', 'bounce', 'dropped'],
}

/**
 * Without one `processed` among its first events a source has them switched off; so has one later on, with so many
 * outcomes in a row that no message explains.
 */
const EVENTS_TO_DECIDE = 500

/** The unit of a source: known from its history, or learnt from its first events; and whether it still holds. */
export type UnitChoice = {
  readonly unit: VolumeUnit
  /** Events seen while undecided; `decided` once the unit is known. */
  readonly seen: number
  readonly decided: boolean
  /**
   * Messages that were processed and whose outcome is to come: a newsletter is processed in minutes and delivered for
   * hours. Below zero: outcomes in a row that no message explains. Absent while nothing is known of either.
   */
  readonly waiting?: number
}

export const undecidedUnit: UnitChoice = { unit: 'processed', seen: 0, decided: false }

/**
 * The choice after one more event. Until it is certain, `processed` is assumed, SendGrid's usual setting. Somebody may
 * switch `processed` off later; then the outcomes are counted, until the first `processed` comes again.
 */
export function chooseUnit(choice: UnitChoice, event: string): UnitChoice {
  const { unit, seen, decided, waiting = 0 } = choice
  if (event === 'processed') {
    return {
      unit: 'processed',
      seen: decided ? seen : seen + 1,
      decided: true,
      waiting: Math.max(0, waiting) + 1,
    }
  }
  if (!decided) {
    return seen + 1 < EVENTS_TO_DECIDE
      ? { unit: 'processed', seen: seen + 1, decided: false }
      : { unit: 'outcomes', seen: seen + 1, decided: true }
  }
  if (unit === 'outcomes' || !isMessage('outcomes', event)) return choice
  // What is dropped need not have been processed.
  if (event === 'dropped' && waiting > 0) return choice
  return waiting - 1 > -EVENTS_TO_DECIDE
    ? { unit, seen, decided, waiting: waiting - 1 }
    : { unit: 'outcomes', seen, decided }
}

export function isMessage(unit: VolumeUnit, event: string): boolean {
  return unit === 'processed'
    ? event === 'processed'
    : event === 'delivered' || event === 'bounce' || event === 'dropped'
}

/**
 * The events that count as one message to one recipient. An account may have `processed` switched off; then every
 * message still ends in one of the three others.
 */
export type VolumeUnit = 'processed' | 'outcomes'

export const volumeEvents: Readonly<Record<VolumeUnit, readonly string[]>> = {
  processed: ['processed'],
  outcomes: ['delivered', 'bounce', 'dropped'],
}

/** Without one `processed` among its first events a source has them switched off. */
const EVENTS_TO_DECIDE = 500

/** The unit of a source: known from its history, or learnt from its first events. */
export type UnitChoice = {
  readonly unit: VolumeUnit
  /** Events seen while undecided; `decided` once the unit is certain. */
  readonly seen: number
  readonly decided: boolean
}

export const undecidedUnit: UnitChoice = { unit: 'processed', seen: 0, decided: false }

/** The choice after one more event. Until it is certain, `processed` is assumed, SendGrid's usual setting. */
export function chooseUnit(choice: UnitChoice, event: string): UnitChoice {
  if (choice.decided) return choice
  if (event === 'processed') return { unit: 'processed', seen: choice.seen + 1, decided: true }
  const seen = choice.seen + 1
  return seen < EVENTS_TO_DECIDE
    ? { unit: 'processed', seen, decided: false }
    : { unit: 'outcomes', seen, decided: true }
}

export function isMessage(unit: VolumeUnit, event: string): boolean {
  return unit === 'processed'
    ? event === 'processed'
    : event === 'delivered' || event === 'bounce' || event === 'dropped'
}

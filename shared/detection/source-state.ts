import { UNATTRIBUTED } from '#shared/domain/alert.ts'
import type { DetectionSettings } from './detection-settings.ts'
import type { StoredSource } from './engine-input.ts'
import type { KeyState } from './key-state.ts'
import { chooseUnit, undecidedUnit, type UnitChoice } from './volume/volume-unit.ts'

/** What is remembered about one source. */
export type SourceState = {
  readonly source: string
  readonly keys: Map<string, KeyState>
  /** What the warehouse knows of the source as a whole; the engine of one partition sees only its own keys. */
  stored: StoredSource
  unit: UnitChoice
  firstSeen: number
  /** Messages of finished days, fading, and of the present day; and how many of them no rule attributed. */
  readonly messages: FadingCount
  readonly unattributed: FadingCount
  /** Latest minute of an event, and of an arrival. */
  eventMinute: number
  arrivalMinute: number
  lastEvictionMinute: number
  readonly gaps: SourceGaps
}

/** The longest pause of each of the last days, and until when a far longer one makes windows look empty. */
type SourceGaps = { day: number; today: number; days: number[]; disturbedUntil: number }

type FadingCount = { day: number; days: number; finished: number; today: number }

/** A source's first day: everything is new then, and nothing is unusual. */
const MATURE_SECONDS = 24 * 3600
const DAY_MINUTES = 24 * 60
/** Finished days count for so much less each day. */
const DAILY_DECAY = 0.97
/** Event time trails the arrival clock by more than this only while a backlog is delivered … */
const TRAILING_MINUTES = 15
/** … and only as long as events still come. */
const STILL_COMING_MINUTES = 5

export function createSourceState(source: string): SourceState {
  return {
    source,
    keys: new Map(),
    stored: { source, firstSeen: undefined, unit: undefined, messages: 0, unattributedMessages: 0 },
    unit: undecidedUnit,
    firstSeen: Infinity,
    messages: { day: -1, days: 0, finished: 0, today: 0 },
    unattributed: { day: -1, days: 0, finished: 0, today: 0 },
    eventMinute: -1,
    arrivalMinute: -1,
    lastEvictionMinute: -1,
    gaps: { day: -1, today: 0, days: [], disturbedUntil: -1 },
  }
}

/** Takes over what the warehouse knows. */
export function rememberStored(state: SourceState, stored: StoredSource): void {
  state.stored = stored
  state.firstSeen = Math.min(state.firstSeen, stored.firstSeen ?? Infinity)
  if (stored.unit !== undefined && !state.unit.decided) {
    state.unit = { unit: stored.unit, seen: 0, decided: true }
  }
}

export function learnUnit(state: SourceState, event: string): void {
  const { unit, stored } = state
  // A restart forgets what was on its way; it may have been as much as a usual day's.
  const isForgotten = unit.decided && unit.unit === 'processed' && unit.waiting === undefined
  const known = isForgotten ? { ...unit, waiting: Math.ceil(stored.messages / STORED_DAYS) } : unit
  state.unit = chooseUnit(known, event)
}

/** The source's clock of event time: any event moves it, for mail that is only opened is a sign of life too. */
export function noteEventMinute(state: SourceState, minute: number): void {
  if (minute <= state.eventMinute) return
  if (state.eventMinute !== -1) noteGap(state.gaps, minute, minute - state.eventMinute)
  state.eventMinute = minute
}

export function countForSource(state: SourceState, key: string, minute: number): void {
  count(state.messages, minute)
  if (key === UNATTRIBUTED) count(state.unattributed, minute)
}

/** A pause this much longer than any of the last fortnight is an outage; so are all of an hour while none is known. */
const OUTAGE_RATIO = 1.5
const OUTAGE_MINUTES_MIN = 60
const GAP_DAYS = 14

function noteGap(gaps: SourceGaps, minute: number, gap: number): void {
  const day = Math.floor(minute / DAY_MINUTES)
  const usual = gaps.days.reduce((longest, known) => Math.max(longest, known), 0)
  if (gap >= OUTAGE_MINUTES_MIN && gap > OUTAGE_RATIO * usual) gaps.disturbedUntil = minute + DAY_MINUTES
  if (day > gaps.day) {
    if (gaps.day !== -1) gaps.days = [...gaps.days, gaps.today].slice(-GAP_DAYS)
    gaps.day = day
    gaps.today = 0
  }
  gaps.today = Math.max(gaps.today, gap)
}

/** Whether windows up to this minute may be empty because nothing of the source came. */
export function isDisturbed({ gaps }: SourceState, minute: number): boolean {
  return minute < gaps.disturbedUntil
}

/** A source's first keys are all new at once; later ones are new to a known source. */
const FIRST_KEYS_SECONDS = 14 * 24 * 3600

export function isFirstKey(state: SourceState, firstSeconds: number): boolean {
  return firstSeconds - state.firstSeen < FIRST_KEYS_SECONDS
}

/** The unattributed mail of an incident, as far as it was counted today, is no habit. */
export function forgetUnattributedToday(state: SourceState): void {
  state.unattributed.today = 0
}

function count(fading: FadingCount, minute: number): void {
  const day = Math.floor(minute / DAY_MINUTES)
  if (day > fading.day) {
    const passed = fading.day === -1 ? 0 : day - fading.day
    if (fading.day !== -1) fading.days += 1
    fading.finished = (fading.finished + fading.today) * DAILY_DECAY ** passed
    fading.today = 0
    fading.day = day
  }
  fading.today += 1
}

export function isMatureSource(state: SourceState, clockMinute: number): boolean {
  return clockMinute * 60 - state.firstSeen >= MATURE_SECONDS
}

/**
 * Messages a day that no rule attributes, where most of the source's mail is attributed; undefined elsewhere. `few`:
 * practically everything is.
 */
export function unattributedHabit(
  state: SourceState,
  settings: DetectionSettings,
): { readonly perDay: number; readonly few: boolean } | undefined {
  const { stored } = state
  const messages = Math.max(stored.messages, state.messages.finished)
  // What was counted here leaves out incidents; what is stored does not.
  const isOwn = state.messages.days >= OWN_DAYS_MIN || stored.messages === 0
  const unattributed = isOwn ? state.unattributed.finished : stored.unattributedMessages
  if (messages < settings.unattributedHistoryMin || unattributed > UNATTRIBUTED_SHARE_MAX * messages) {
    return undefined
  }
  return {
    perDay: isOwn ? unattributed * (1 - DAILY_DECAY) : unattributed / STORED_DAYS,
    few: unattributed <= settings.unattributedShareMax * messages,
  }
}

/** Days after which what was counted here is enough. */
const OWN_DAYS_MIN = 10
/** Days that what is stored was counted over. */
const STORED_DAYS = 35
/** Where more than this is unattributed anyway, that a message is says nothing about it. */
const UNATTRIBUTED_SHARE_MAX = 0.2

/** The minute that has come for the source's messages: the arrival clock, or the event clock while it trails. */
export function presentMinute(state: SourceState, arrivalMinute: number): number {
  if (state.eventMinute === -1) return arrivalMinute
  const coming = arrivalMinute - state.arrivalMinute <= STILL_COMING_MINUTES
  const trailing = arrivalMinute - state.eventMinute > TRAILING_MINUTES
  return coming && trailing ? state.eventMinute : arrivalMinute
}

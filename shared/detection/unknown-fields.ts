import { EVERY, type Alert } from '#shared/domain/alert.ts'
import { fieldKinds, UNKNOWN_PREFIX } from '#shared/domain/event-shape.ts'
import { cutText } from '#shared/domain/normalise-text.ts'
import { moment } from './alert-text.ts'
import { minuteOf } from './clock.ts'
import { incidentIdOf } from './incident-alerts.ts'
import { noticeOf } from './notice.ts'

/** SendGrid names its own fields so, as a rule; custom arguments lie beside them, and may be named anything. */
const OWN_PREFIX = 'sg_'
const OWN_NAME = /^sg_[a-z0-9_]{1,64}$/
/** A type's name is text from outside: what is not of a name is not repeated, for it might be an address. */
const NOT_OF_A_NAME = /[^\w .-]/g
const NONE: readonly string[] = []

/**
 * What an event has that looks like SendGrid's own and is not known: fields named like its own, and a type of event
 * (`unknown:NAME`). Any other unknown field is taken for a custom argument.
 */
export function unknownNamesOf(event: {
  readonly event: string
  readonly [name: string]: unknown
}): readonly string[] {
  let names = NONE
  if (event.event.startsWith(UNKNOWN_PREFIX)) {
    names = [`${UNKNOWN_PREFIX}${event.event.slice(UNKNOWN_PREFIX.length).replaceAll(NOT_OF_A_NAME, '?')}`]
  }
  for (const name in event) {
    if (name.startsWith(OWN_PREFIX) && !fieldKinds.has(name) && OWN_NAME.test(name)) names = [...names, name]
  }
  return names
}

/** One name on one source, with the time of an event that has it, seconds. */
export type UnknownSighting = { readonly source: string; readonly name: string; readonly timestamp: number }

/** Remembers which unknown names were told of. */
export type UnknownFields = {
  /** Whether something would be told of it, as far as is remembered. Ask before loading what was told before. */
  readonly isNews: (sighting: UnknownSighting, nowMs: number) => boolean
  /** What was told before, by whomever. */
  readonly load: (alerts: readonly Alert[]) => void
  /** What is to be told; a name that is no news is left out. */
  readonly tell: (sightings: readonly UnknownSighting[], nowMs: number) => Alert[]
}

/** So many names of a source are told of one by one in a day; then one notice stands for all others of that day. */
const NAMES_A_DAY = 5
/** A source that has shown more names than this invents them, and gets its notice for several once a day. */
const NAMES_MAX = 2000
const DAY_MS = 24 * 3600 * 1000
const NAME_SHOWN_MAX = 80

type ToldOfSource = {
  readonly names: Set<string>
  day: number
  /** Names told of one by one on that day. */
  today: number
  /** The notice for several was given on that day. */
  several: boolean
}

/**
 * Ids depend on source and name alone (for the notice of several: on the day), so whoever tells of a name again after a
 * crash, or on another partition, tells of the same alert.
 */
export function createUnknownFields(): UnknownFields {
  const sources = new Map<string, ToldOfSource>()
  const toldOf = (source: string, day: number): ToldOfSource => {
    const told = sources.get(source) ?? { names: new Set(), day, today: 0, several: false }
    sources.set(source, told)
    if (day > told.day) Object.assign(told, { day, today: 0, several: false })
    return told
  }
  const isNews = ({ source, name }: UnknownSighting, nowMs: number) => {
    const told = toldOf(source, dayOfMs(nowMs))
    return !told.names.has(name) && !told.several
  }
  return {
    isNews,
    load: (alerts) => {
      for (const alert of alerts)
        remember(toldOf(alert.source, dayOfMs(Date.parse(alert.detected_at))), alert)
    },
    tell: (sightings, nowMs) =>
      sightings.flatMap((sighting) => {
        if (!isNews(sighting, nowMs)) return []
        const told = toldOf(sighting.source, dayOfMs(nowMs))
        const isSeveral = told.today >= NAMES_A_DAY || told.names.size >= NAMES_MAX
        const alert = isSeveral ? severalNotice(sighting, nowMs) : nameNotice(sighting, nowMs)
        remember(told, alert)
        return [alert]
      }),
  }
}

function remember(told: ToldOfSource, { evidence, detected_at }: Alert): void {
  const isToday = dayOfMs(Date.parse(detected_at)) === told.day
  const { name } = evidence
  if (typeof name !== 'string') {
    told.several ||= isToday
    return
  }
  if (told.names.has(name)) return
  told.names.add(name)
  if (isToday) told.today += 1
}

function dayOfMs(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

function nameNotice({ source, name, timestamp }: UnknownSighting, nowMs: number): Alert {
  const isType = name.startsWith(UNKNOWN_PREFIX)
  const shown = cutText(isType ? name.slice(UNKNOWN_PREFIX.length) : name, NAME_SHOWN_MAX)
  const minute = minuteOf(timestamp)
  return noticeFor({
    source,
    identity: `name ${name}`,
    minute,
    nowMs,
    observed: 1,
    evidence: { name, kind: isType ? 'event type' : 'field' },
    summary:
      `SendGrid sends ${isType ? 'events of the type' : 'the field'} "${shown}" on ${source}, since ${moment(minute)}, which ` +
      `Keywatch does not know${isType ? '' : ', unless it is a custom argument of your own'}. It is stored; nothing is lost.`,
  })
}

function severalNotice({ source, name, timestamp }: UnknownSighting, nowMs: number): Alert {
  const minute = minuteOf(timestamp)
  return noticeFor({
    source,
    identity: `several ${dayOfMs(nowMs)}`,
    minute,
    nowMs,
    observed: NAMES_A_DAY + 1,
    evidence: { more_than_a_day: NAMES_A_DAY, latest: cutText(name, NAME_SHOWN_MAX) },
    summary:
      `Several more fields or event types came on ${source} today that Keywatch does not know, the latest at ` +
      `${moment(minute)}: "${cutText(name, NAME_SHOWN_MAX)}". They are stored; nothing is lost.`,
  })
}

function noticeFor(given: {
  readonly source: string
  readonly identity: string
  readonly minute: number
  readonly nowMs: number
  readonly observed: number
  readonly evidence: Alert['evidence']
  readonly summary: string
}): Alert {
  const { minute, ...rest } = given
  const notice = noticeOf({ ...rest, signal: 'schema.unknown_field', severity: 'info', startMinute: minute })
  // Whoever meets the name first: the same id, whatever the time of the event that has it.
  return { ...notice, incident_id: incidentIdOf({ source: given.source, key: EVERY }, given.identity) }
}

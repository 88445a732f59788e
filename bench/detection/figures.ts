import { z } from 'zod'
import type { Judgement } from '../../cli/backtest/judge-alerts.ts'
import { families } from '../../cli/backtest/labels.ts'
import { quantile } from '../../cli/backtest/summarise.ts'

/** What became of the labels of one fleet, or of several, under one system. */
const systemFiguresSchema = z.object({
  system: z.string(),
  attacks: z.array(
    z.object({
      scenario: z.string(),
      family: z.enum(families),
      found: z.boolean(),
      named: z.boolean(),
      /** Until the alarm; all of them where it was missed. */
      messagesOut: z.number(),
      /** From the first message to the alarm; null where it was missed. */
      seconds: z.number().nullable(),
    }),
  ),
  lookAlikes: z.array(z.object({ scenario: z.string(), paged: z.boolean() })),
  falseIncidents: z.number(),
  falseIncidentsSettled: z.number(),
  keyYears: z.number(),
  keyYearsSettled: z.number(),
})
export type SystemFigures = z.output<typeof systemFiguresSchema>

export const fleetFiguresSchema = z.object({
  seed: z.number(),
  keys: z.number(),
  events: z.number(),
  seconds: z.number(),
  systems: z.array(systemFiguresSchema),
  /** One line for each that was missed, misnamed, false or paged for. */
  faults: z.array(z.string()),
})
/** One fleet, judged under every system. */
export type FleetFigures = z.output<typeof fleetFiguresSchema>

export function figuresOf(system: string, judgement: Judgement): SystemFigures {
  const { attacks, lookAlikes, falseIncidents, falseIncidentsSettled, keyYears, keyYearsSettled } = judgement
  return {
    system,
    attacks: attacks.map(({ label, alarmAt, named, messagesBefore, seconds }) => ({
      scenario: label.scenario,
      family: label.family,
      found: alarmAt !== undefined,
      named,
      messagesOut: messagesBefore,
      seconds: seconds ?? null,
    })),
    lookAlikes: lookAlikes.map(({ label, incidentIds }) => ({
      scenario: label.scenario,
      paged: incidentIds.length > 0,
    })),
    falseIncidents: falseIncidents.length,
    falseIncidentsSettled,
    keyYears,
    keyYearsSettled,
  }
}

/** Several fleets taken as one; the first gives the systems and their order. */
export function pooled(fleets: readonly FleetFigures[]): SystemFigures[] {
  const [first] = fleets
  if (first === undefined) return []
  return first.systems.map(({ system }) => {
    const own = fleets.flatMap(({ systems }) => systems.filter((one) => one.system === system))
    const sum = (of: (figures: SystemFigures) => number) => own.reduce((total, one) => total + of(one), 0)
    return {
      system,
      attacks: own.flatMap(({ attacks }) => attacks),
      lookAlikes: own.flatMap(({ lookAlikes }) => lookAlikes),
      falseIncidents: sum(({ falseIncidents }) => falseIncidents),
      falseIncidentsSettled: sum(({ falseIncidentsSettled }) => falseIncidentsSettled),
      keyYears: sum(({ keyYears }) => keyYears),
      keyYearsSettled: sum(({ keyYearsSettled }) => keyYearsSettled),
    }
  })
}

/** The measures that the engine is judged by. Shares are of 1; times and messages are of the attacks found. */
export type Measures = {
  readonly attacks: number
  readonly found: number
  readonly named: number
  readonly messagesMedian: number | null
  readonly messagesMost: number | null
  readonly blasts: number
  readonly blastsInTime: number
  readonly blastSecondsMax: number | null
  readonly falsePerKeyYear: number
  readonly falsePerKeyYearSettled: number
  readonly lookAlikes: number
  readonly lookAlikesPaged: number
}

const BLAST_SECONDS = 60
/** A share of the attacks found that let no more messages out than `messagesMost`. */
const MOST = 0.9

export function measuresOf(figures: SystemFigures): Measures {
  const { attacks, lookAlikes } = figures
  const found = attacks.filter((attack) => attack.found)
  const messages = found.map(({ messagesOut }) => messagesOut)
  const blasts = attacks.filter(({ scenario }) => scenario.startsWith('blast'))
  const blastSeconds = blasts.flatMap(({ seconds }) => (seconds === null ? [] : [seconds]))
  return {
    attacks: attacks.length,
    found: found.length,
    named: found.filter(({ named }) => named).length,
    messagesMedian: quantile(messages, 0.5),
    messagesMost: quantile(messages, MOST),
    blasts: blasts.length,
    blastsInTime: blastSeconds.filter((seconds) => seconds <= BLAST_SECONDS).length,
    blastSecondsMax: blastSeconds.length === 0 ? null : Math.max(...blastSeconds),
    falsePerKeyYear: figures.falseIncidents / figures.keyYears,
    falsePerKeyYearSettled: figures.falseIncidentsSettled / figures.keyYearsSettled,
    lookAlikes: lookAlikes.length,
    lookAlikesPaged: lookAlikes.filter(({ paged }) => paged).length,
  }
}

import { z } from 'zod'
import type { Alert } from './alert.ts'
import { describeNumber, describePercent } from './number-text.ts'

const baselineSchema = z.object({
  expected_per_hour: z.number(),
  busiest_usual_hour: z.number(),
  active_days: z.number(),
})
const topValuesSchema = z.record(
  z.string(),
  z.array(z.object({ value: z.string(), share: z.number(), share_before: z.number().nullable() })),
)

const whatElseSchema = z.array(z.object({ text: z.string() }))
const scoreSchema = z.object({
  total: z.number(),
  limit: z.number(),
  groups: z.record(z.string(), z.number()),
})
const attributionSchema = z.object({ rule: z.string(), confirmed: z.boolean() })

/** What the judgement rests on but a person need not read at night; the alert's JSON has it. */
const FOR_MACHINES: ReadonlySet<string> = new Set(['new_values'])
const VALUES_SHOWN_MAX = 4

/** Evidence as lines for a person: the numbers behind the sentence, without the bookkeeping of the engine. */
export function describeEvidence(evidence: Alert['evidence']): string[] {
  return Object.entries(evidence).flatMap(([name, value]) => {
    if (FOR_MACHINES.has(name)) return []
    if (name === 'still_learning') {
      return value === true ? ["still learning this key's habits: judged with more patience than later"] : []
    }
    const known = describeKnown(name, value)
    if (known !== undefined) return known
    const baseline = name === 'baseline' ? baselineSchema.safeParse(value).data : undefined
    if (baseline !== undefined) return [describeBaseline(baseline)]
    const topValues = name === 'top_values' ? topValuesSchema.safeParse(value).data : undefined
    if (topValues !== undefined) return describeTopValues(topValues)
    return [`${name.replaceAll('_', ' ')}: ${inWords(value)}`]
  })
}

/** Evidence that has a form of its own; undefined for any other. */
function describeKnown(name: string, value: unknown): string[] | undefined {
  if (name === 'what_else') {
    return whatElseSchema.safeParse(value).data?.map(({ text }) => `also ${text}`)
  }
  if (name === 'incident_score') {
    const score = scoreSchema.safeParse(value).data
    if (score === undefined) return undefined
    const groups = Object.entries(score.groups).map(([group, points]) => `${group} ${describeNumber(points)}`)
    const { total, limit } = score
    return [
      `points: ${describeNumber(total)}, this key's limit is ${describeNumber(limit)} (${groups.join(', ')})`,
    ]
  }
  if (name === 'attribution') {
    const attribution = attributionSchema.safeParse(value).data
    if (attribution === undefined) return undefined
    return [
      `key named by: ${attribution.rule} (${attribution.confirmed ? 'confirmed' : 'claimed, not proven'})`,
    ]
  }
  return undefined
}

function describeBaseline(baseline: z.output<typeof baselineSchema>): string {
  const { expected_per_hour: expected, busiest_usual_hour: busiest, active_days: days } = baseline
  return (
    `usual at this hour of the week: ${describeNumber(expected)} messages an hour; ` +
    `in the busiest usual hour: ${describeNumber(busiest)}; learnt from ${describeNumber(days)} active days`
  )
}

function describeTopValues(topValues: z.output<typeof topValuesSchema>): string[] {
  return Object.entries(topValues).flatMap(([field, contributors]) => {
    if (contributors.length === 0) return []
    const shown = contributors.slice(0, VALUES_SHOWN_MAX).map(({ value, share, share_before: before }) => {
      const usually =
        before === null ? '' : before === 0 ? ', never before' : `, before ${describePercent(before)}`
      return `${value === '' ? 'none' : value} (${describePercent(share)}${usually})`
    })
    return [`${field === 'fingerprint' ? 'kind of fields' : field.replaceAll('_', ' ')}: ${shown.join(', ')}`]
  })
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return describeNumber(value)
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null)) {
    return value.map(inWords).join(', ')
  }
  return JSON.stringify(value) ?? ''
}

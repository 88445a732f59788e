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

/** What the judgement rests on but a person need not read at night; the alert's JSON has it. */
const FOR_MACHINES: ReadonlySet<string> = new Set(['scale_minutes', 'trains_baseline', 'remarks', 'messages'])
const VALUES_SHOWN_MAX = 4

/** Evidence as lines for a person: the numbers behind the sentence, without the bookkeeping of the engine. */
export function describeEvidence(evidence: Alert['evidence']): string[] {
  return Object.entries(evidence).flatMap(([name, value]) => {
    if (FOR_MACHINES.has(name)) return []
    if (name === 'still_learning') {
      return value === true ? ["still learning this key's habits: judged with more patience than later"] : []
    }
    const baseline = name === 'baseline' ? baselineSchema.safeParse(value).data : undefined
    if (baseline !== undefined) return [describeBaseline(baseline)]
    const topValues = name === 'top_values' ? topValuesSchema.safeParse(value).data : undefined
    if (topValues !== undefined) return describeTopValues(topValues)
    return [`${name.replaceAll('_', ' ')}: ${inWords(value)}`]
  })
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
    return [
      `${field === 'shape' ? 'fingerprint of the fields' : field.replaceAll('_', ' ')}: ${shown.join(', ')}`,
    ]
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

import { z } from 'zod'
import { measureKeys } from './measure-keys.ts'
import { measureScale } from './measure-scale.ts'
import { createPieces, TEMPLATE_END_MS, templateEvents } from './template-keys.ts'
import { growTemplates } from './grow-templates.ts'

// Measures in a process of its own, started by main.ts with --expose-gc. A month of events of few keys makes their
// states; copies of these stand for the many keys, for a month of everybody's events would take hours to make.
const requestSchema = z.object({
  seed: z.number(),
  templates: z.number(),
  rate: z.number(),
  days: z.number(),
  keys: z.number(),
  /** How long the live keys' traffic is measured. */
  hours: z.number(),
  /** Whether single keys are measured too. */
  single: z.boolean(),
})

const DAY_MS = 86_400_000

process.once('message', (message) => {
  const { seed, templates, rate, days, keys, hours, single } = requestSchema.parse(message)
  const fromMs = TEMPLATE_END_MS - days * DAY_MS
  const pieces = createPieces(templateEvents({ seed, keys: templates, rate, fromMs }))
  const grown = growTemplates(pieces, days)
  if (single) process.send?.({ kind: 'keys', figures: measureKeys(grown) })
  const figures = measureScale({ keys, hours, pieces, saved: grown.saved })
  process.send?.({ kind: 'scale', figures }, () => process.disconnect())
})

import { z } from 'zod'
import { judgeFleet } from './judge-fleet.ts'

// Judges one fleet in a process of its own, so that the memory of one is gone before the next begins. Started by
// run-fleets.ts, which sends the options and gets the progress and then the figures.
const optionsSchema = z.object({
  seed: z.number(),
  keys: z.number(),
  weeks: z.number(),
  attacks: z.number(),
  lookAlikes: z.number(),
})

process.once('message', (message) => {
  const figures = judgeFleet(optionsSchema.parse(message), (fraction, events) => {
    process.send?.({ kind: 'progress', fraction, events })
  })
  process.send?.({ kind: 'figures', figures, peakMib: process.resourceUsage().maxRSS / 1024 }, () =>
    process.disconnect(),
  )
})

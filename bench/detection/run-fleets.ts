import { fork } from 'node:child_process'
import { z } from 'zod'
import { fleetFiguresSchema, type FleetFigures } from './figures.ts'

export type FleetRequest = {
  readonly seed: number
  readonly keys: number
  readonly weeks: number
  readonly attacks: number
  readonly lookAlikes: number
}

/** Figures, and the most memory that their process had. */
export type JudgedFleet = FleetFigures & { readonly peakMib: number }

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), fraction: z.number(), events: z.number() }),
  z.object({ kind: z.literal('figures'), figures: fleetFiguresSchema, peakMib: z.number() }),
])

/**
 * Judges fleets, each in a process of its own and so many at a time, and answers in the order asked for. Rejects when a
 * process ends without figures.
 */
export async function runFleets(
  requests: readonly FleetRequest[],
  options: {
    readonly processes: number
    /** How much of all is done, 0 to 1, with a word on where it is. */
    readonly onProgress: (fraction: number, note: string) => void
  },
): Promise<JudgedFleet[]> {
  const done = requests.map(() => 0)
  const weights = requests.map(({ keys, weeks }) => keys * weeks)
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  const waiting = [...requests.entries()]
  const judged = new Map<number, JudgedFleet>()
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, request] = next
      const show = (fraction: number, events: number) => {
        done[index] = fraction
        const sum = done.reduce((total, share, at) => total + share * (weights[at] ?? 0), 0)
        options.onProgress(sum / whole, `seed ${request.seed}: ${events.toLocaleString('en')} events`)
      }
      judged.set(index, await runFleet(request, show))
      show(1, judged.get(index)?.events ?? 0)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, options.processes) }, work))
  return requests.flatMap((_, index) => judged.get(index) ?? [])
}

function runFleet(request: FleetRequest, show: (fraction: number, events: number) => void) {
  return new Promise<JudgedFleet>((resolve, reject) => {
    const child = fork(new URL('./fleet-process.ts', import.meta.url), {
      execArgv: ['--import', import.meta.resolve('tsx')],
    })
    child.on('message', (message) => {
      const parsed = messageSchema.parse(message)
      if (parsed.kind === 'progress') show(parsed.fraction, parsed.events)
      else resolve({ ...parsed.figures, peakMib: parsed.peakMib })
    })
    child.once('error', reject)
    child.once('close', (code) =>
      reject(new Error(`seed ${request.seed} ended without figures (code ${code})`)),
    )
    child.send(request)
  })
}

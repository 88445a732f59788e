import { z } from 'zod'
import { RECIPIENTS_MAX } from './link-hosts.ts'
import { CELLS, cellMinutes, COLUMNS, DAY_STRIDE, TOTAL_DAYS } from './outcome-counts.ts'
import type { OutcomeState } from './outcome-watch.ts'
import { ENTRIES_MAX } from './recent-failures.ts'

const count = z.number().int().min(0).max(0xffff_ffff)
const cellsLength = cellMinutes.length * CELLS * (COLUMNS + 1)
const failuresLengthMax = ENTRIES_MAX * 3

const stateSchema = z.object({
  v: z.literal(1),
  head: z.number().int().min(-1),
  cells: z.array(count).length(cellsLength),
  days: z
    .array(z.number())
    .refine((days) => days.length % DAY_STRIDE === 0, 'a day is a row of a fixed length'),
  totals: z.array(z.number()).length(TOTAL_DAYS + 1),
  failures: z.object({ entries: z.array(count).max(failuresLengthMax), written: count }),
  hosts: z.object({
    known: z.array(z.object({ host: z.string(), clicks: z.number(), lastDay: z.number() })),
    fresh: z.array(
      z.object({
        host: z.string(),
        firstMinute: z.number(),
        lastMinute: z.number(),
        clicks: z.number(),
        people: z.number(),
        recipients: z.array(count).max(RECIPIENTS_MAX),
        others: z.number(),
      }),
    ),
    day: z.number().int(),
    clicksToday: z.number(),
    freshToday: z.number(),
    pastDays: z.number(),
    pastClicks: z.number(),
    newHosts: z.number(),
    newShareSum: z.number(),
    newShareCount: z.number(),
  }),
  toldUntil: z.number(),
})

/** The whole state as a value that JSON keeps exactly. */
export function encodeOutcomes({
  counts,
  failures,
  hosts,
  toldUntil,
}: OutcomeState): z.input<typeof stateSchema> {
  return {
    v: 1,
    head: counts.head,
    cells: [...counts.cells],
    days: [...counts.days],
    totals: [...counts.totals],
    failures: { entries: [...failures.entries], written: failures.written },
    hosts: {
      ...hosts,
      known: hosts.known.map((entry) => ({ ...entry })),
      fresh: hosts.fresh.map((entry) => ({
        ...entry,
        recipients: [...entry.recipients.hashes.subarray(0, entry.recipients.size)],
      })),
    },
    toldUntil,
  }
}

/** The state that was encoded; throws a ZodError for anything else. */
export function decodeOutcomes(json: unknown): OutcomeState {
  const state = stateSchema.parse(json)
  return {
    counts: {
      head: state.head,
      cells: Uint32Array.from(state.cells),
      days: Float32Array.from(state.days),
      totals: state.totals,
    },
    failures: { entries: Uint32Array.from(state.failures.entries), written: state.failures.written },
    hosts: {
      ...state.hosts,
      fresh: state.hosts.fresh.map(({ recipients, ...entry }) => ({
        ...entry,
        recipients: {
          capacity: RECIPIENTS_MAX,
          hashes: Uint32Array.from(recipients).sort(),
          size: recipients.length,
        },
      })),
    },
    toldUntil: state.toldUntil,
  }
}

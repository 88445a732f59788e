import { z } from 'zod'
import { narrowed, type Counts } from './counts.ts'
import { createMemory, NO_SENDS, RING_HOURS, RING_MINUTES, type VolumeState } from './volume-state.ts'

const VERSION = 1

const counts = z.object({ width: z.union([z.literal(1), z.literal(2), z.literal(4)]), data: z.base64() })
const finite = z.number()
const learnt = z.object({
  activeDays: finite,
  learning: z.boolean(),
  trainedHours: finite,
  busyHour: finite,
  flat: finite,
  burstKey: z.boolean(),
  dispersions: z.tuple([finite, finite, finite]),
  peaks: z.tuple([finite, finite, finite]),
  emptyDays: finite,
})

/** A state as JSON: numbers as they are, arrays as base64 of little-endian values. */
const encoded = z.object({
  v: z.literal(VERSION),
  counts,
  bytes: z.base64(),
  slots: z.base64(),
  sends: z.base64(),
  openSend: z.object({ start: finite, last: finite, messages: finite }),
  headMinute: finite,
  firstMinute: finite,
  lastMinute: finite,
  longestGapHours: finite,
  acceptedHour: finite,
  settledHour: finite,
  closedHour: finite,
  sum10: finite,
  sum60: finite,
  before6: finite,
  before24: finite,
  profileHour: finite,
  learnt,
  clusters: z.object({ minute: finite, ten: finite, even: finite, hours: finite }),
  ramp: z.object({ hourly: finite, daily: finite, hourlyStart: finite, dailyStart: finite }),
})
type EncodedVolume = z.output<typeof encoded>

/** The state as JSON. A state decoded from it behaves as this one does, for ever. */
export function encodeVolume(state: VolumeState): EncodedVolume {
  return {
    v: VERSION,
    ...state,
    counts: encodeCounts(state.counts),
    bytes: base64Of(state.bytes),
    slots: base64Of(state.slots),
    sends: base64Of(state.sends),
    openSend: { ...state.openSend },
    clusters: { ...state.clusters },
    ramp: { ...state.ramp },
    learnt: {
      ...state.learnt,
      dispersions: [...state.learnt.dispersions],
      peaks: [...state.learnt.peaks],
    },
  }
}

/**
 * The state that `encodeVolume` wrote.
 *
 * @throws Error when the JSON is not such a state; make the state anew from stored events then.
 */
export function decodeVolume(json: unknown): VolumeState {
  const parsed = encoded.safeParse(json)
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error))
  const { v: _, ...rest } = parsed.data
  const memory = createMemory()
  memory.bytes.set(withLength(bytesOf(rest.bytes), memory.bytes.byteLength))
  memory.slots.set(new Float32Array(aligned(withLength(bytesOf(rest.slots), memory.slots.byteLength))))
  return {
    ...rest,
    ...memory,
    counts: decodeCounts(rest.counts),
    sends: rest.sends === '' ? NO_SENDS : new Uint32Array(aligned(bytesOf(rest.sends))),
  }
}

function encodeCounts(values: Counts): z.output<typeof counts> {
  const narrow = narrowed(values)
  const width = narrow.BYTES_PER_ELEMENT === 1 ? 1 : narrow.BYTES_PER_ELEMENT === 2 ? 2 : 4
  return { width, data: base64Of(narrow) }
}

function decodeCounts({ width, data }: z.output<typeof counts>): Counts {
  const bytes = withLength(bytesOf(data), (RING_HOURS + RING_MINUTES) * width)
  if (width === 1) return bytes
  return width === 2 ? new Uint16Array(aligned(bytes)) : new Uint32Array(aligned(bytes))
}

function base64Of(values: Counts | Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}

/** The bytes' own memory, which wider numbers may be laid over. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const memory = new ArrayBuffer(bytes.length - (bytes.length % 4))
  new Uint8Array(memory).set(bytes.subarray(0, memory.byteLength))
  return memory
}

function withLength(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw invalid(`an array has ${bytes.length} bytes`)
  return bytes
}

function invalid(why: string): Error {
  return new Error(`Not the state of a key's volume: ${why}. Make the state anew from stored events.`)
}

import { describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { createArrivalGuard } from './arrival-guard.ts'
import { createEventReader } from './read-event.ts'

const START = 1_790_000_000
const DAY = 86_400
const readEvent = createEventReader(configSchema.parse({}))

/** Seconds after the start at which each line arrived, or the line's number where it was refused. */
function outcomes(...offsets: readonly number[]) {
  const found: string[] = []
  const guard = createArrivalGuard(readEvent, (outcome) => {
    if (outcome.kind === 'bad') found.push(`line ${outcome.line}`)
    else found.push(String(outcome.event.receivedAtMs / 1000 - START))
  })
  for (const [index, offset] of offsets.entries()) {
    guard.take({ event: 'processed', sg_event_id: `id-${index}`, timestamp: START + offset }, index + 1)
  }
  guard.end()
  return found
}

describe('createArrivalGuard', () => {
  it('lets no line arrive before the one above it', () => {
    expect(outcomes(0, 10, 5, 20)).toEqual(['0', '10', '10', '20'])
  })

  it('refuses a single line that lies far ahead, and goes on as if it were not there', () => {
    expect(outcomes(0, 4000 * DAY, 10, 20)).toEqual(['0', 'line 2', '10', '20'])
    expect(outcomes(0, 4000 * DAY, 300 * DAY, 10)).toEqual(['0', 'line 2', 'line 3', '10'])
  })

  it('believes a gap that the next line confirms', () => {
    expect(outcomes(0, 5 * DAY, 5 * DAY - 60, 5 * DAY + 9)).toEqual([
      '0',
      String(5 * DAY),
      String(5 * DAY),
      String(5 * DAY + 9),
    ])
  })

  it('believes the last line, unless it lies years ahead', () => {
    expect(outcomes(0, 30 * DAY)).toEqual(['0', String(30 * DAY)])
    expect(outcomes(0, 4000 * DAY)).toEqual(['0', 'line 2'])
  })
})

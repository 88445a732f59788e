import { describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { createEventReader } from './read-event.ts'

const SECONDS = 1_790_000_000
const sent = {
  event: 'processed',
  sg_event_id: 'id-1',
  timestamp: SECONDS,
  email: 'a@b.example',
  api_key_id: 'orders',
}
const read = createEventReader(configSchema.parse({}))
const configured = createEventReader(
  configSchema.parse({
    sources: { billing: { public_keys: ['x'], key: 'invoices' }, main: { public_keys: ['x'] } },
  }),
)
const eventOf = (value: unknown, reader = read, clockMs = 0) => {
  const line = reader(value, clockMs)
  return line.kind === 'event' ? line.event : line.fault
}

describe('createEventReader', () => {
  it("takes SendGrid's event itself: it arrived when it happened, at the first configured source", () => {
    expect(eventOf(sent)).toMatchObject({
      source: 'default',
      key: 'orders',
      attribution: 'custom_arg',
      timestamp: SECONDS,
      receivedAtMs: SECONDS * 1000,
    })
    expect(eventOf(sent, configured)).toMatchObject({ source: 'billing', key: 'invoices' })
  })

  it('takes an event with its arrival and source, fractions of a second as well', () => {
    const line = { received_at: SECONDS + 1.5, source: 'main', event: sent }
    expect(eventOf(line, configured)).toMatchObject({
      source: 'main',
      key: 'orders',
      receivedAtMs: SECONDS * 1000 + 1500,
    })
  })

  it('takes a source that is not configured by the general rules', () => {
    expect(eventOf({ received_at: SECONDS, source: 'elsewhere', event: sent }, configured)).toMatchObject({
      source: 'elsewhere',
      key: 'orders',
    })
  })

  it('lets no event arrive before the one on the line above', () => {
    const clockMs = SECONDS * 1000 + 60_000
    expect(eventOf(sent, read, clockMs)).toMatchObject({ timestamp: SECONDS, receivedAtMs: clockMs })
    const { timestamp: _without, ...undated } = sent
    expect(eventOf(undated, read, clockMs)).toMatchObject({ timestamp: SECONDS + 60, receivedAtMs: clockMs })
  })

  it.each([
    { line: 7, fault: /not a JSON object/ },
    { line: [sent], fault: /not a JSON object/ },
    { line: { ...sent, event: '' }, fault: /event/ },
    { line: { received_at: '1790000000', event: sent }, fault: /received_at/ },
    { line: { received_at: SECONDS * 1000, event: sent }, fault: /received_at/ },
    { line: { received_at: SECONDS, source: 7, event: sent }, fault: /source/ },
    { line: { event: 'processed', sg_event_id: 'x' }, fault: /time/ },
  ])('says what is wrong with $line', ({ line, fault }) => {
    expect(eventOf(line)).toMatch(fault)
  })
})

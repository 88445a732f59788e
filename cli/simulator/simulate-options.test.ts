import { describe, expect, it } from 'vitest'
import { parseSimulateOptions } from './simulate-options.ts'

describe('parseSimulateOptions', () => {
  it('reads durations, numbers and an attack with its defaults', () => {
    expect(
      parseSimulateOptions({
        live: true,
        history: '28d',
        rate: '0.5',
        attack: 'stolen-key',
        attackAfter: '90',
      }),
    ).toMatchObject({
      history: 28 * 86_400_000,
      rate: 0.5,
      seed: 1,
      attack: { attack: 'stolen-key', key: 'billing-invoices', afterMs: 90_000, durationMs: 300_000 },
    })
  })

  it('reads scenarios by name, and a fleet of eight weeks unless told otherwise', () => {
    expect(parseSimulateOptions({ scenario: 'blast, deployment', attackKey: 'us-shop' }).scenarios).toEqual({
      names: ['blast', 'deployment'],
      key: 'us-shop',
      afterMs: 60_000,
    })
    expect(parseSimulateOptions({ fleet: '30', eventsOut: 'x', attacks: '12' }).fleet).toEqual({
      keys: 30,
      weeks: 8,
      attacks: 12,
      lookAlikes: undefined,
    })
  })

  it.each([
    [{ rate: 'x' }, '--rate must be a number'],
    [{ rate: '0' }, '--rate'],
    [{ seed: '-1' }, '--seed'],
    [{ seed: '' }, '--seed'],
    [{ history: '28' }, '--history must be a whole number of days'],
    [{ history: '0d' }, '--history must be longer'],
    [{ attack: 'flood' }, '--attack'],
    [{ attackKey: 'nobody' }, '--attack-key is not a key of the fleet'],
    [{ ingest: 'localhost' }, '--ingest must be an http or https address'],
    [{ eventsOut: 'x.ndjson' }, '--history is needed'],
    [{ until: '2026-01-01T00:00:00Z' }, '--until is for --events-out'],
    [{ labels: 'x' }, '--labels needs --attack, --scenario or --fleet'],
    [{ live: false }, '--no-live leaves nothing'],
    [{ scenario: 'blast,flood' }, '--scenario names no scenario'],
    [{ scenario: 'blast', attack: 'stolen-key' }, 'exclude each other'],
    [{ fleet: '8' }, '--fleet is for --events-out'],
    [{ fleet: '0', eventsOut: 'x' }, '--fleet'],
    [{ fleet: '8', eventsOut: 'x', history: '28d' }, '--history is for the default fleet'],
    [{ weeks: '8' }, '--weeks is for --fleet'],
    [{ lookAlikes: '3' }, '--look-alikes is for --fleet'],
    [{ configOut: 'x' }, '--config-out is for --events-out'],
  ])('refuses %j as a usage error that says why', (raw, message) => {
    expect(() => parseSimulateOptions(raw)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) }),
    )
  })

  it('names all faults at once', () => {
    expect(() => parseSimulateOptions({ rate: 'x', seed: 'y' })).toThrow(
      /--seed.*\n.*--rate|--rate.*\n.*--seed/,
    )
  })
})

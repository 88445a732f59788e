import type { Config } from '#shared/config/config.ts'
import { attributionRulesFor, createAttributor } from '#shared/domain/attribute-event.ts'
import type { EventMessage } from '#shared/domain/log-message.ts'
import type { SimulatedEvent } from './event-stream.ts'
import { BILLING_KEY, type SimulatorSource } from './sources.ts'

/** SendGrid posts events a few seconds after they happen. */
export const ARRIVAL_DELAY_MS = 2000

/**
 * Makes the log messages that ingest would have made of the events, had they been posted when they happened: by the
 * configuration's attribution rules, or as `simulatorSourcesConfig` declares a source that is not configured.
 */
export function createMessageMaker(
  config: Pick<Config, 'sources' | 'attribution'>,
): (event: SimulatedEvent<string>) => EventMessage {
  const attributor = (source: SimulatorSource, declared: { readonly key?: string }) => {
    const configured = config.sources[source] ?? declared
    return createAttributor({
      source,
      key: configured.key,
      rules: attributionRulesFor(configured, config.attribution),
    })
  }
  const attributors = new Map<string, ReturnType<typeof attributor>>([
    ['main', attributor('main', {})],
    ['billing', attributor('billing', { key: BILLING_KEY })],
    ['marketing', attributor('marketing', {})],
  ])
  return ({ source, event, atMs }) => {
    const attribute = attributors.get(source)
    if (attribute === undefined) throw new RangeError(`${source} is no source of the simulated organisation`)
    const { key, attribution } = attribute(event)
    return { v: 1, key, attribution, source, received_at: atMs + ARRIVAL_DELAY_MS, event }
  }
}

import { createUnknownFields, type UnknownSighting } from '#shared/detection/unknown-fields.ts'
import type { Alert } from '#shared/domain/alert.ts'
import { unknownFieldAlerts } from '#shared/warehouse/alert-history-store.ts'
import { untilDone } from './retry.ts'
import type { FreshEvent, StoreContext } from './store-block.ts'

/** Watches the events of every partition of this member for fields and types that nobody here knows. */
export type UnknownFieldLoop = {
  /** What is to be told about events that were just stored. Asks the warehouse only where a name looks new. */
  readonly look: (events: readonly FreshEvent[], context: StoreContext) => Promise<Alert[]>
}

export function createUnknownFieldLoop(): UnknownFieldLoop {
  const fields = createUnknownFields()
  return {
    look: async (events, context) => {
      const nowMs = Date.now()
      const news: UnknownSighting[] = []
      for (const { unknownNames, row } of events) {
        for (const name of unknownNames) {
          const sighting = { source: row.source, name, timestamp: row.timestamp }
          if (fields.isNews(sighting, nowMs)) news.push(sighting)
        }
      }
      // Another member, or this one before its start, may have told of it.
      for (const source of new Set(news.map((sighting) => sighting.source))) {
        const load = () => unknownFieldAlerts(context.client, source)
        fields.load(await untilDone('load unknown fields', load, context))
      }
      return fields.tell(news, nowMs)
    },
  }
}

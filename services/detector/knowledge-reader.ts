import type { Config } from '#shared/config/config.ts'
import { configuredKnowledge } from '#shared/config/detection-settings-of.ts'
import { createKnowledgeBook, type KnowledgeBook } from '#shared/detection/knowledge-book.ts'
import { loadKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

/** What a person states is obeyed within this time. */
const REFRESH_MS = 30_000

/** Reads what people know, again and again. */
export type KnowledgeReader = {
  /**
   * A new book when it is time and something has changed. The first reading is waited for, because nothing may be judged
   * without it; a later one that fails leaves the old book in place.
   */
  readonly refresh: (nowMs: number) => Promise<KnowledgeBook | undefined>
}

export function createKnowledgeReader(
  config: Pick<Config, 'detection'>,
  context: StoreContext,
): KnowledgeReader {
  const configured = configuredKnowledge(config)
  let readAtMs = -Infinity
  let known: string | undefined
  const read = () => loadKnowledge(context.client)
  return {
    refresh: async (nowMs) => {
      if (nowMs - readAtMs < REFRESH_MS) return undefined
      readAtMs = nowMs
      let stated
      try {
        stated = known === undefined ? await untilDone('load knowledge', read, context) : await read()
      } catch (error) {
        if (known === undefined) throw error
        context.log.warn({ err: error }, 'what people know could not be read again; the last reading holds')
        return undefined
      }
      const text = JSON.stringify(stated)
      if (text === known) return undefined
      known = text
      return createKnowledgeBook([...configured, ...stated])
    },
  }
}

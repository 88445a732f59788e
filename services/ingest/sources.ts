import type { KeyObject } from 'node:crypto'
import type { Config } from '#shared/config/config.ts'
import { attributionRulesFor, createAttributor, type AttributedKey } from '#shared/domain/attribute-event.ts'
import { generateSigningKeys, loadPublicKey } from '#shared/domain/webhook-signature.ts'
import { AppError } from '#shared/runtime/app-error.ts'

/** One configured source of webhooks. */
export type Source = {
  readonly name: string
  readonly attribute: (event: { readonly [name: string]: unknown }) => AttributedKey
}

export type Sources = {
  /**
   * What to verify a request against. `source` is undefined where the path names none; there are as many keys then as
   * for any source, so that an unknown source costs the same time as a bad signature.
   */
  readonly find: (name: string) => {
    readonly source: Source | undefined
    readonly keys: readonly KeyObject[]
  }
}

/**
 * Loads the keys and rules of every source. Without a source, or with a key that is not P-256, it throws the AppError
 * `CONFIG_INVALID`: ingest never runs in a state in which it would accept unsigned events.
 */
export function createSources(config: Pick<Config, 'sources' | 'attribution'>): Sources {
  const configured = Object.entries(config.sources)
  if (configured.length === 0) {
    throw new AppError(
      'CONFIG_INVALID',
      'no source is configured: add one to keywatch.yaml under "sources" with the public key of its webhook, or set KEYWATCH_SOURCES',
      { retriable: false },
    )
  }
  const keysMax = Math.max(...configured.map(([, source]) => source.public_keys.length))
  // Their private halves are forgotten at once, so that nothing verifies against them.
  const decoys = Array.from({ length: keysMax }, () => loadPublicKey(generateSigningKeys().publicKey))
  const sources = new Map(
    configured.map(([name, source]) => {
      const keys = source.public_keys.map((key, index) => loadSourceKey(name, index, key))
      const rules = attributionRulesFor(source, config.attribution)
      const attribute = createAttributor({ source: name, key: source.key, rules })
      return [name, { source: { name, attribute }, keys: [...keys, ...decoys.slice(keys.length)] }]
    }),
  )
  const unknown = { source: undefined, keys: decoys }
  return { find: (name) => sources.get(name) ?? unknown }
}

function loadSourceKey(source: string, index: number, key: string): KeyObject {
  try {
    return loadPublicKey(key)
  } catch (error) {
    const fault = error instanceof Error ? error.message : ''
    throw new AppError('CONFIG_INVALID', `sources.${source}.public_keys[${index}]: ${fault}`, {
      cause: error,
      retriable: false,
    })
  }
}

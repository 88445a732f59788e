import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadConfig } from './load-config.ts'

const example = fileURLToPath(new URL('../../keywatch.example.yaml', import.meta.url))

describe('keywatch.example.yaml', () => {
  it('is a valid configuration', () => {
    const config = loadConfig({ KEYWATCH_CONFIG: example })
    expect(Object.keys(config.sources)).toEqual(['main', 'billing'])
  })

  it('shows the defaults as they are', () => {
    const { sources: _, ...shown } = loadConfig({ KEYWATCH_CONFIG: example })
    const { sources: __, ...defaults } = loadConfig({ KEYWATCH_SOURCES: '{}' })
    expect(shown).toEqual(defaults)
  })
})

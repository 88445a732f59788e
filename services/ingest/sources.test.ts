import { describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { generateSigningKeys, loadPublicKey } from '#shared/domain/webhook-signature.ts'
import { createSources } from './sources.ts'

const key = () => generateSigningKeys().publicKey

describe('createSources', () => {
  const one = key()
  const config = configSchema.parse({
    sources: { one: { public_keys: [one] }, three: { public_keys: [key(), key(), key()], key: 'payroll' } },
  })
  const sources = createSources(config)

  it('verifies an unknown source against as many keys as any known one, so that time tells nothing', () => {
    for (const name of ['one', 'three', 'unknown', '__proto__', '']) {
      expect(sources.find(name).keys).toHaveLength(3)
    }
    expect(sources.find('unknown').source).toBeUndefined()
  })

  it('puts the configured keys first, in their order', () => {
    expect(sources.find('one').keys[0]?.equals(loadPublicKey(one))).toBe(true)
  })

  it('attributes by the source where it declares itself to be one key’s', () => {
    expect(sources.find('three').source?.attribute({ api_key_id: 'x' }).key).toBe('payroll')
    expect(sources.find('one').source?.attribute({ api_key_id: 'x' }).key).toBe('x')
  })

  it('names the source and the place of a key that cannot be used', () => {
    const broken = configSchema.parse({ sources: { shop: { public_keys: [one, 'AAAA'] } } })
    expect(() => createSources(broken)).toThrow(/^sources\.shop\.public_keys\[1\]: The public key/)
  })

  it('says what to do where no source is configured', () => {
    expect(() => createSources(configSchema.parse({}))).toThrow(
      /no source is configured: add one to keywatch\.yaml/,
    )
  })
})

import { createHmac } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRecipientPrivacy } from './recipient-privacy.ts'

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'keywatch-privacy-'))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

const withKey = (key: string) =>
  createRecipientPrivacy({ data_directory: '/nonexistent', privacy: { recipients: 'hash', hash_key: key } })

describe('createRecipientPrivacy', () => {
  it('hashes as HMAC-SHA256 does, whatever the key and the address', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 200 }), fc.string(), (key, address) => {
        const reference = createHmac('sha256', key).update(address.toLowerCase()).digest()
        expect(withKey(key).hash(address)).toBe(reference.readBigUInt64BE().toString())
      }),
    )
  })

  it('makes a key of its own once, readable by its owner only, and finds it again', () => {
    const config = { data_directory: join(directory, 'data'), privacy: { recipients: 'hash' } } as const
    const first = createRecipientPrivacy(config)
    const second = createRecipientPrivacy(config)
    expect(second.hash('jane@example.org')).toBe(first.hash('jane@example.org'))
    expect(readdirSync(config.data_directory)).toEqual(['recipient-hash-key'])
    expect(statSync(join(config.data_directory, 'recipient-hash-key')).mode & 0o777).toBe(0o600)
  })

  it('says what to do when the key cannot be made', () => {
    writeFileSync(join(directory, 'a file'), '')
    const config = { data_directory: join(directory, 'a file'), privacy: { recipients: 'hash' } } as const
    expect(() => createRecipientPrivacy(config)).toThrow(
      /check the directory's permissions or set privacy.hash_key/,
    )
  })
})

import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { BILLING_KEY, ensureSimulatorKeys, simulatorDirectory, simulatorSourcesConfig } from './sources.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keywatch-sources-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const publicKeys = async () => simulatorSourcesConfig(await ensureSimulatorKeys(directory))

describe('ensureSimulatorKeys', () => {
  it('keeps the keys across restarts, also when many start at once', async () => {
    const [first, ...others] = await Promise.all(Array.from({ length: 20 }, publicKeys))
    expect(others).toEqual(others.map(() => first))
    expect(await publicKeys()).toEqual(first)
  })

  it('lets nobody else read the private keys and leaves no drafts', async () => {
    await ensureSimulatorKeys(directory)
    const files = await readdir(simulatorDirectory(directory))
    expect(files.toSorted()).toEqual(['billing.key.pem', 'main.key.pem', 'marketing.key.pem'])
    for (const file of files) {
      expect((await stat(join(simulatorDirectory(directory), file))).mode & 0o777).toBe(0o600)
    }
  })

  it('says what to do about a damaged key', async () => {
    await ensureSimulatorKeys(directory)
    await writeFile(join(simulatorDirectory(directory), 'main.key.pem'), 'damaged')
    await expect(ensureSimulatorKeys(directory)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('remove it'),
    })
  })
})

describe('simulatorSourcesConfig', () => {
  it('is a valid sources section with a different key per source and billing declared as one key', async () => {
    const sources = await publicKeys()
    expect(configSchema.parse({ sources }).sources['billing']?.key).toBe(BILLING_KEY)
    expect(new Set(Object.values(sources).flatMap((source) => source.public_keys)).size).toBe(3)
  })
})

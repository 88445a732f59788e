import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { configSchema } from '#shared/config/config.ts'
import { warehouseConnection } from './connection.ts'
import { ensureWarehousePassword, readWarehousePassword } from './password.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keywatch-password-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

it('keeps the first password and lets its owner alone read it', () => {
  expect(readWarehousePassword(directory)).toBeUndefined()
  const password = ensureWarehousePassword(directory)
  expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(ensureWarehousePassword(directory)).toBe(password)
  expect(statSync(join(directory, 'warehouse', 'password')).mode & 0o777).toBe(0o600)
})

it('takes an empty password file for a fault, never for an empty password', () => {
  ensureWarehousePassword(directory)
  truncateSync(join(directory, 'warehouse', 'password'))
  expect(() => ensureWarehousePassword(directory)).toThrow(/remove the file/)
})

it('connects with the configured password, else with the one in the data directory', () => {
  const made = ensureWarehousePassword(directory)
  const config = configSchema.parse({
    data_directory: directory,
    warehouse: { url: 'http://127.0.0.1:8999' },
  })
  expect(warehouseConnection(config)).toEqual({
    url: 'http://127.0.0.1:8999',
    username: 'keywatch',
    password: made,
    database: 'keywatch',
  })
  const configured = configSchema.parse({ data_directory: directory, warehouse: { password: 'own' } })
  expect(warehouseConnection(configured).password).toBe('own')
})

it('says what to do when there is no password', () => {
  const config = configSchema.parse({ data_directory: directory })
  expect(() => warehouseConnection(config)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/start the embedded warehouse first/),
    }),
  )
})

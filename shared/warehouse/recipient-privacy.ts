import { hash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'

/** How recipients are kept: always as a keyed hash, and as the address itself only where `plain` says so. */
export type RecipientPrivacy = {
  readonly plain: boolean
  /** First 64 bits of HMAC-SHA256 over the lower-case address, as decimal text (ClickHouse's UInt64 in JSON). */
  readonly hash: (address: string) => string
}

const KEY_FILE = 'recipient-hash-key'
const KEY_BYTES = 32

/**
 * Reads the hash key from the configuration, or from the data directory, where the first start makes one
 * (mode 600). Every process that writes events must use the same key, or one recipient gets two hashes.
 */
export function createRecipientPrivacy(config: Pick<Config, 'privacy' | 'data_directory'>): RecipientPrivacy {
  const key = config.privacy.hash_key ?? keyFromFile(config.data_directory)
  return {
    plain: config.privacy.recipients === 'plain',
    hash: withMemory(createAddressHash(key)),
  }
}

/** Recipients whose hashes are kept at hand, enough for the follow-ups of some hours; some 10 MB. */
const REMEMBERED_MAX = 50_000
/** The longest address that SMTP knows (RFC 5321, 4.5.3.1); what is longer is not remembered, to bound the memory. */
const ADDRESS_MAX = 320

/** A message's events have one recipient, so most hashes are asked for again; each costs as much as a small row. */
function withMemory(hashOf: (address: string) => string): (address: string) => string {
  const known = new Map<string, string>()
  return (address) => {
    const remembered = known.get(address)
    if (remembered !== undefined) return remembered
    const made = hashOf(address)
    if (address.length > ADDRESS_MAX) return made
    if (known.size >= REMEMBERED_MAX) known.clear()
    known.set(address, made)
    return made
  }
}

const BLOCK_BYTES = 64

/**
 * HMAC-SHA256 (RFC 2104) by two one-shot hashes: an Hmac object for every event costs three times as much, and this
 * runs for each of them.
 */
function createAddressHash(key: string): (address: string) => string {
  const bytes = Buffer.from(key, 'utf8')
  const block = Buffer.alloc(BLOCK_BYTES)
  const short = bytes.length > BLOCK_BYTES ? hash('sha256', bytes, 'buffer') : bytes
  short.copy(block)
  const inner = Buffer.from(block.map((byte) => byte ^ 0x36))
  const outer = Buffer.from(block.map((byte) => byte ^ 0x5c))
  return (address) => {
    const digest = hash(
      'sha256',
      Buffer.concat([inner, Buffer.from(address.toLowerCase(), 'utf8')]),
      'buffer',
    )
    return hash('sha256', Buffer.concat([outer, digest]), 'buffer')
      .readBigUInt64BE()
      .toString()
  }
}

function keyFromFile(directory: string): string {
  const file = join(directory, KEY_FILE)
  try {
    return readKey(file) ?? makeKey(directory, file)
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError(
      'CONFIG_INVALID',
      `the key that recipients are hashed with cannot be read or made at ${file}; check the directory's permissions or set privacy.hash_key`,
      { cause: error, retriable: false },
    )
  }
}

function readKey(file: string): string | undefined {
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  if (key !== '') return key
  throw new AppError(
    'CONFIG_INVALID',
    `${file} is empty; restore it from a backup, or remove it to make a new key`,
    {
      retriable: false,
    },
  )
}

/** Written aside, made durable, then linked: of several first starts at once exactly one key wins, complete. */
function makeKey(directory: string, file: string): string {
  mkdirSync(directory, { recursive: true })
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeSync(descriptor, `${randomBytes(KEY_BYTES).toString('hex')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const key = readKey(file)
  if (key === undefined) throw new Error(`${file} vanished after it was made`)
  return key
}

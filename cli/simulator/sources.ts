import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '#shared/runtime/app-error.ts'

/** The sources the simulated organisation posts to: its main account, a billing subuser, its marketing webhook. */
export const simulatorSourceNames = ['main', 'billing', 'marketing'] as const
export type SimulatorSource = (typeof simulatorSourceNames)[number]

/** The billing subuser has one API key only, so its source is declared to be that key's. */
export const BILLING_KEY = 'billing-invoices'

export type SourceKeyPair = {
  readonly privateKey: KeyObject
  /** Base64 of the DER SPKI, as SendGrid shows a webhook's public key. */
  readonly publicKey: string
}
export type SimulatorKeys = Readonly<Record<SimulatorSource, SourceKeyPair>>

/** Where the simulator keeps its signing keys and its position. */
export function simulatorDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'simulator')
}

/**
 * The signing key pair (P-256) of every simulated webhook, made at the first call and kept in
 * `<dataDirectory>/simulator/` (private keys with mode 600), so that a restart signs as before.
 *
 * Two processes may call it at once: the first one's key wins. Throws the AppError `CONFIG_INVALID` for a key
 * file that is not a P-256 private key.
 */
export async function ensureSimulatorKeys(dataDirectory: string): Promise<SimulatorKeys> {
  const directory = simulatorDirectory(dataDirectory)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const [main, billing, marketing] = await Promise.all([
    ensureKeyPair(directory, 'main'),
    ensureKeyPair(directory, 'billing'),
    ensureKeyPair(directory, 'marketing'),
  ])
  return { main, billing, marketing }
}

/** The `sources` section of a configuration in which ingest accepts what the simulator posts. */
export function simulatorSourcesConfig(
  keys: SimulatorKeys,
): Record<SimulatorSource, { public_keys: string[]; key?: string }> {
  return {
    main: { public_keys: [keys.main.publicKey] },
    billing: { public_keys: [keys.billing.publicKey], key: BILLING_KEY },
    marketing: { public_keys: [keys.marketing.publicKey] },
  }
}

async function ensureKeyPair(directory: string, source: SimulatorSource): Promise<SourceKeyPair> {
  const file = join(directory, `${source}.key.pem`)
  const present = await readKey(file)
  if (present !== undefined) return present
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await handle.sync()
  } finally {
    await handle.close()
  }
  // A link fails where the name is taken, so a second process cannot replace the first one's key.
  await link(draft, file).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error
  })
  await rm(draft, { force: true })
  const written = await readKey(file)
  if (written === undefined) throw unusable(file, 'vanished while it was being made')
  return written
}

async function readKey(file: string): Promise<SourceKeyPair | undefined> {
  let pem: string
  try {
    pem = await readFile(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw unusable(file, 'cannot be read', error)
  }
  await chmod(file, 0o600)
  try {
    const privateKey = createPrivateKey(pem)
    if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new RangeError('not P-256')
    const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64')
    return { privateKey, publicKey }
  } catch (error) {
    throw unusable(file, 'is not a P-256 private key', error)
  }
}

function unusable(file: string, fault: string, cause?: unknown): AppError {
  return new AppError(
    'CONFIG_INVALID',
    `The simulator's signing key ${file} ${fault}; remove it and a new one is made.`,
    { cause, retriable: false },
  )
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

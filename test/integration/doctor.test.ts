import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startAlertReceiver, type AlertReceiver } from '../support/alert-receiver.ts'
import { freePort } from '../support/free-port.ts'
import { runCommand } from '../support/run-command.ts'
import { createWebhookSigner } from '../support/signed-webhook.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

const command = fileURLToPath(new URL('../../cli/keywatch.js', import.meta.url))
const SECRET = `whsec_${Buffer.alloc(32, 'doctor').toString('base64')}`
const reportSchema = z.object({
  checks: z.array(
    z.object({ name: z.string(), outcome: z.string(), found: z.string(), advice: z.string().optional() }),
  ),
})

let folder: string
let warehouse: TestWarehouse
let receiver: AlertReceiver

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keywatch-doctor-'))
  warehouse = await startTestWarehouse()
  receiver = await startAlertReceiver([SECRET])
})
afterAll(async () => {
  await receiver.close()
  await warehouse.stop()
  await rm(folder, { recursive: true, force: true })
})

async function examine(changes: Readonly<Record<string, string>>, ...options: readonly string[]) {
  const running = runCommand(['node', command, 'doctor', '--json', ...options], {
    cwd: folder,
    env: {
      KEYWATCH_DATA_DIRECTORY: folder,
      KEYWATCH_SOURCES: JSON.stringify({ main: { public_keys: [createWebhookSigner().publicKey] } }),
      KEYWATCH_WAREHOUSE__URL: warehouse.url,
      KEYWATCH_WAREHOUSE__PASSWORD: warehouse.connection.password,
      KEYWATCH_NOTIFIER__CHANNELS: JSON.stringify({
        pager: { type: 'webhook', url: receiver.url, secrets: [SECRET], allow_private_address: true },
      }),
      ...changes,
    },
  })
  const status = await running.exited
  const { checks } = reportSchema.parse(JSON.parse(running.output()))
  return { status, checks, byName: Object.fromEntries(checks.map((check) => [check.name, check])) }
}

describe('keywatch doctor', () => {
  it('finds nothing to mend where everything works, and says so with status 0', async () => {
    const { status, checks } = await examine({})
    expect(checks.filter(({ outcome }) => outcome !== 'ok')).toEqual([])
    expect(status).toBe(0)
    expect(receiver.requests).toHaveLength(0)
  })

  it('sends a signed test alert to every channel when asked to', async () => {
    const { status, byName } = await examine({}, '--send-test')
    expect(byName['channel pager']?.outcome).toBe('ok')
    expect(status).toBe(0)
    expect(receiver.accepted.map(({ verified }) => verified)).toEqual([true])
  })

  it.each([
    {
      fault: 'a key that is no P-256 key',
      changes: { KEYWATCH_SOURCES: '{"main":{"public_keys":["bm90IGEga2V5"]}}' },
      check: 'sources',
    },
    { fault: 'no source at all', changes: { KEYWATCH_SOURCES: '{}' }, check: 'sources' },
    {
      fault: 'a wrong warehouse password',
      changes: { KEYWATCH_WAREHOUSE__PASSWORD: 'wrong' },
      check: 'warehouse',
    },
  ])('fails for $fault and says what to do', async ({ changes, check }) => {
    const { status, byName } = await examine(changes)
    expect(byName[check]).toMatchObject({ outcome: 'failed', advice: expect.stringMatching(/./) })
    expect(status).toBe(1)
  })

  it('goes on with the other checks when the warehouse is away', async () => {
    const { status, byName } = await examine({
      KEYWATCH_WAREHOUSE__URL: `http://127.0.0.1:${await freePort()}`,
    })
    expect(byName['warehouse']?.outcome).toBe('failed')
    expect(byName['channels']?.outcome).toBe('ok')
    expect(status).toBe(1)
  })
})

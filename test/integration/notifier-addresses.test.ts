import type { LookupAddress } from 'node:dns'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { preparePosts } from '../../services/notifier/post-json.ts'
import { startAlertReceiver, type AlertReceiver } from '../support/alert-receiver.ts'

describe('a POST to a configured URL', () => {
  let receiver: AlertReceiver
  beforeEach(async () => {
    receiver = await startAlertReceiver()
  })
  afterEach(() => receiver.close())

  const postTo = async (host: string, addresses: readonly LookupAddress[]) => {
    let resolved = 0
    const posts = preparePosts({
      name: 'pager',
      url: `https://${host}:${receiver.port}/alerts`,
      allowPrivateAddress: false,
      nowMs: Date.now,
      lookup: (_hostname, _options, callback) => {
        resolved += 1
        callback(null, [...addresses])
      },
    })
    const outcome = await posts.post('{}', {}, new AbortController().signal)
    await posts.close()
    return { outcome, resolved }
  }

  it.each([
    { name: 'a private address', addresses: [{ address: '127.0.0.1', family: 4 }] },
    { name: 'a wrapped private address', addresses: [{ address: '::ffff:127.0.0.1', family: 6 }] },
    {
      name: 'a public and a private address',
      addresses: [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    },
    { name: 'no address', addresses: [] },
  ])('connects to nothing where the name has $name', async ({ addresses }) => {
    const { outcome, resolved } = await postTo('hooks.example.com', addresses)
    expect(outcome).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('private address') })
    expect(resolved).toBe(1)
    expect(receiver.requests).toEqual([])
  })

  it('does not connect to localhost by its name either', async () => {
    const posts = preparePosts({
      name: 'pager',
      url: `https://localhost:${receiver.port}/alerts`,
      allowPrivateAddress: false,
      nowMs: Date.now,
    })
    const outcome = await posts.post('{}', {}, new AbortController().signal)
    await posts.close()
    expect(outcome).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('private address') })
  })
})

import { Agent, createServer, get } from 'node:http'
import { describe, expect, it } from 'vitest'
import { listen } from './listen.ts'

const anywhere = { host: '127.0.0.1', port: 0 }

describe('listen', () => {
  it('stops at once when the last request ends, though its connection would be kept alive', async () => {
    let release = () => {}
    const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
      release = () => response.end('done')
      server.emit('held')
    })
    const { port, stop } = await listen(server, anywhere)
    const agent = new Agent({ keepAlive: true })
    const held = new Promise<void>((resolve) => server.once('held', resolve))
    const answered = new Promise<number>((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0))
      }).once('error', reject)
    })
    await held
    const stopped = stop()
    release()
    expect(await answered).toBe(200)
    await stopped
    agent.destroy()
  }, 5000)

  it('says which address is taken', async () => {
    const { port, stop } = await listen(createServer(), anywhere)
    await expect(listen(createServer(), { host: '127.0.0.1', port })).rejects.toThrow(`127.0.0.1:${port}`)
    await stop()
  })
})

import { appendFile, readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { spawnService } from '../support/spawn-service.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { warehouseRequest } from '../support/warehouse-request.ts'

const started: TestWarehouse[] = []
async function start(): Promise<TestWarehouse> {
  const warehouse = await startTestWarehouse()
  started.push(warehouse)
  return warehouse
}
async function ask(warehouse: TestWarehouse, body: string): Promise<string> {
  return (await warehouseRequest(warehouse.connection, { body })).text
}
afterEach(async () => {
  for (const warehouse of started.splice(0)) await warehouse.stop()
})

describe('the password', () => {
  it('is made once, for its owner alone, and never logged', async () => {
    const warehouse = await start()
    const directory = join(warehouse.dataDirectory, 'warehouse')
    const file = join(directory, 'password')
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const password = (await readFile(file, 'utf8')).trim()
    expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/)
    await ask(warehouse, 'SELECT 1')
    await warehouse.restart()
    expect(await ask(warehouse, 'SELECT 1')).toBe('1\n')
    expect((await readFile(file, 'utf8')).trim()).toBe(password)
    expect(warehouse.process().output()).not.toContain(password)
  })
})

describe('starting', () => {
  it('fails on a directory that another process has, and leaves that one alone', async () => {
    const warehouse = await start()
    const second = spawnService({
      name: 'warehouse',
      env: {
        KEYWATCH_DATA_DIRECTORY: warehouse.dataDirectory,
        KEYWATCH_WAREHOUSE__URL: `http://127.0.0.1:${await freePort()}`,
      },
      cwd: warehouse.dataDirectory,
    })
    expect(await second.exited).toEqual({ code: 1, signal: null })
    expect(second.output()).toMatch(/another process has it open/)
    expect(await ask(warehouse, 'SELECT 1')).toBe('1\n')
  })

  it.each([
    'http://0.0.0.0:8123',
    'http://192.0.2.1:8123',
    'https://127.0.0.1:8123',
    'http://example.com:8123',
  ])('refuses to listen on %s', async (url) => {
    const warehouse = await start()
    await warehouse.kill9()
    const refused = spawnService({
      name: 'warehouse',
      env: { KEYWATCH_DATA_DIRECTORY: warehouse.dataDirectory, KEYWATCH_WAREHOUSE__URL: url },
      cwd: warehouse.dataDirectory,
    })
    expect(await refused.exited).toEqual({ code: 1, signal: null })
    expect(refused.output()).toMatch(/this machine only/)
  })

  it('raises an alarm when parts were damaged, and keeps running', async () => {
    const warehouse = await start()
    await ask(warehouse, 'CREATE TABLE damaged (n UInt32) ENGINE = MergeTree ORDER BY n')
    await ask(warehouse, 'INSERT INTO damaged SELECT number FROM numbers(1000)')
    const path = (await ask(warehouse, "SELECT path FROM system.parts WHERE table = 'damaged'")).trim()
    await warehouse.kill9()
    for (const file of await readdir(path)) {
      if (file === 'checksums.txt') await truncate(join(path, file), 0)
    }
    await warehouse.restart()
    expect(warehouse.process().output()).toMatch(/"level":50.*"table":"damaged".*broken parts/)
    expect(await ask(warehouse, 'SELECT count() FROM damaged')).toBe('0\n')
  })
})

describe('stopping', () => {
  it('finishes what was begun, refuses what is new and exits with 0', async () => {
    const warehouse = await start()
    const answer = ask(warehouse, 'SELECT sleep(2), 42')
    await eventually(
      async () =>
        (await ask(warehouse, "SELECT count() FROM system.processes WHERE query LIKE '%sleep(2)%'")) ===
        '2\n',
      { timeoutMs: 10_000, what: 'the slow query runs' },
    )
    const exit = warehouse.process().kill('SIGTERM')
    expect(await answer).toBe('0\t42\n')
    expect(await exit).toEqual({ code: 0, signal: null })
    expect(warehouse.process().output()).toMatch(/"msg":"stopped"/)
    await expect(ask(warehouse, 'SELECT 1')).rejects.toThrow(/fetch failed/)
  })

  it('does not wait for a read that never ends', async () => {
    const warehouse = await start()
    const endless = ask(warehouse, 'SELECT sum(sipHash64(number)) FROM numbers(100000000000)').catch(
      () => 'cut off',
    )
    const seen = "SELECT count() FROM system.processes WHERE query LIKE '%100000000000%'"
    await eventually(async () => (await ask(warehouse, seen)) === '2\n', {
      timeoutMs: 10_000,
      what: 'the read runs',
    })
    expect(await warehouse.process().kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(await endless).toBe('cut off')
  })
})

describe('kill -9', () => {
  it(
    'loses no insert that was answered and stores none in part, five times in a row',
    { timeout: 150_000 },
    async () => {
      const warehouse = await start()
      await ask(
        warehouse,
        'CREATE TABLE kept (block UInt32, n UInt32) ENGINE = MergeTree ORDER BY block SETTINGS fsync_after_insert = 1, fsync_part_directory = 1',
      )
      const acknowledged: number[] = []
      let block = 0
      for (let kill = 0; kill < 5; kill += 1) {
        const goal = acknowledged.length + 10
        const inserting = (async () => {
          for (;;) {
            block += 1
            const rows = Array.from({ length: 1000 }, (_, n) => `${block}\t${n}`).join('\n')
            const answer = await warehouseRequest(warehouse.connection, {
              query: { query: 'INSERT INTO kept FORMAT TSV' },
              body: rows,
            })
            if (answer.status === 200) acknowledged.push(block)
          }
        })().catch(() => 'killed')
        await eventually(() => acknowledged.length >= goal, {
          timeoutMs: 30_000,
          what: 'ten more blocks are stored',
        })
        await warehouse.kill9()
        expect(await inserting).toBe('killed')
        await warehouse.restart()
      }
      const stored = (await ask(warehouse, 'SELECT block, count() FROM kept GROUP BY block FORMAT TSV'))
        .trim()
        .split('\n')
        .map((line) => line.split('\t').map(Number))
      for (const [, count] of stored) expect(count).toBe(1000)
      const blocks = new Set(stored.map(([name]) => name))
      expect(acknowledged.filter((name) => !blocks.has(name))).toEqual([])
    },
  )

  it('leaves no half-sent upload behind', async () => {
    const warehouse = await start()
    const { connection, dataDirectory, url } = warehouse
    const spool = join(dataDirectory, 'warehouse', 'spool')
    await ask(warehouse, 'CREATE TABLE half (n UInt32) ENGINE = MergeTree ORDER BY n')
    const socket = createConnection(Number(new URL(url).port), '127.0.0.1')
    socket.write(
      `POST /?query=INSERT+INTO+half+FORMAT+TSV HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: ${connection.username}\r\nX-ClickHouse-Key: ${connection.password}\r\nContent-Length: 1000000\r\n\r\n1\n2\n3\n`,
    )
    await eventually(async () => (await readdir(spool)).length === 1, {
      timeoutMs: 10_000,
      what: 'the upload has begun',
    })
    socket.destroy()
    await eventually(async () => (await readdir(spool)).length === 0, {
      timeoutMs: 10_000,
      what: 'it is given up',
    })
    expect(await ask(warehouse, 'SELECT count() FROM half')).toBe('0\n')

    await appendFile(join(spool, 'left-over'), 'x')
    await warehouse.kill9()
    await warehouse.restart()
    expect(await readdir(spool)).toEqual([])
  })
})

import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createClient, ClickHouseError, TupleParam, type ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'

let warehouse: TestWarehouse
let client: ClickHouseClient

beforeAll(async () => {
  warehouse = await startTestWarehouse()
  client = createClient({ ...warehouse.connection, database: 'default', max_open_connections: 32 })
})
afterAll(async () => {
  await client.close()
  await warehouse.stop()
})

async function rows(query: string, using: ClickHouseClient = client): Promise<unknown[]> {
  return (await using.query({ query, format: 'JSONEachRow' })).json()
}

describe("ClickHouse's own client, unchanged", () => {
  it('pings with and without a query', async () => {
    expect(await client.ping()).toEqual({ success: true })
    expect(await client.ping({ select: true })).toEqual({ success: true })
  })

  it('binds parameters of every kind without changing a value', async () => {
    const text = `it's "q" \\ \t\n\r\0 \u2028 {x:String} ; -- /* 😀`
    const result = await client.query({
      query: `SELECT {text:String} AS text, toString({number:Int64}) AS number, {float:Float64} AS float, {flag:Bool} AS flag,
                     {at:DateTime64(3, 'UTC')} AS at, {list:Array(String)} AS list, {pairs:Map(String, UInt8)} AS pairs,
                     {nothing:Nullable(String)} AS nothing, {pair:Tuple(String, UInt8)} AS pair`,
      query_params: {
        text,
        number: '-9223372036854775808',
        float: 0.1,
        flag: true,
        at: new Date('2026-11-24T22:14:15.678Z'),
        list: [text, ''],
        pairs: { a: 1 },
        nothing: null,
        pair: new TupleParam(['b', 2]),
      },
      format: 'JSONEachRow',
    })
    expect(await result.json()).toEqual([
      {
        text,
        number: '-9223372036854775808',
        float: 0.1,
        flag: true,
        at: '2026-11-24 22:14:15.678',
        list: [text, ''],
        pairs: { a: 1 },
        nothing: null,
        pair: ['b', 2],
      },
    ])
  })

  it('binds parameters sent as a form', async () => {
    const result = await client.query({
      query: 'SELECT {text:String} AS text, {list:Array(UInt32)} AS list',
      query_params: { text: "it's\t\\ 😀", list: [1, 2] },
      use_multipart_params: true,
      format: 'JSONEachRow',
    })
    expect(await result.json()).toEqual([{ text: "it's\t\\ 😀", list: [1, 2] }])
  })

  it('inserts a stream and reads it back row by row', async () => {
    await client.command({
      query: 'CREATE TABLE streamed (n UInt32, s String) ENGINE = MergeTree ORDER BY n',
    })
    const values = (function* () {
      for (let n = 0; n < 50_000; n += 1) yield { n, s: `row ${n}\n\n; DROP TABLE streamed` }
    })()
    const inserted = await client.insert({
      table: 'streamed',
      values: Readable.from(values),
      format: 'JSONEachRow',
      query_id: 'my-insert',
    })
    expect(inserted).toMatchObject({ query_id: 'my-insert', executed: true })
    expect(inserted.summary).toMatchObject({ written_rows: '50000' })

    let count = 0
    const read = await client.query({ query: 'SELECT * FROM streamed ORDER BY n', format: 'JSONEachRow' })
    for await (const batch of read.stream<{ n: number; s: string }>()) {
      for (const row of batch) {
        expect(row.json()).toEqual({ n: count, s: `row ${count}\n\n; DROP TABLE streamed` })
        count += 1
      }
    }
    expect(count).toBe(50_000)
  })

  it('compresses requests and answers when asked to', async () => {
    const compressing = createClient({
      ...warehouse.connection,
      database: 'default',
      compression: { request: true, response: true },
    })
    await compressing.command({ query: 'CREATE TABLE squeezed (n UInt32) ENGINE = MergeTree ORDER BY n' })
    await compressing.insert({
      table: 'squeezed',
      values: Array.from({ length: 10_000 }, (_, n) => ({ n })),
      format: 'JSONEachRow',
    })
    expect(await rows('SELECT count() AS rows, sum(n) AS sum FROM squeezed', compressing)).toEqual([
      { rows: 10_000, sum: 49_995_000 },
    ])
    expect(await rows('SELECT number FROM numbers(20000)', compressing)).toHaveLength(20_000)
    await expect(rows('SELECT nonsense', compressing)).rejects.toThrow(/nonsense/)
    await compressing.close()
  })

  it('gets an error with its number, name and text', async () => {
    const failure = await rows('SELECT * FROM does_not_exist').catch((error: unknown) => error)
    if (!(failure instanceof ClickHouseError)) throw new Error('a ClickHouseError was expected')
    expect(failure).toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
    expect(failure.message).toContain('does_not_exist')
  })

  it('gets the rows of a failed insert refused as a whole', async () => {
    await client.command({ query: 'CREATE TABLE strict (n UInt8) ENGINE = MergeTree ORDER BY n' })
    const failure = await client
      .insert({ table: 'strict', values: [{ n: 1 }, { n: 'many' }], format: 'JSONEachRow' })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ClickHouseError)
    expect(String(failure)).not.toContain(warehouse.dataDirectory)
    expect(await rows('SELECT count() AS rows FROM strict')).toEqual([{ rows: 0 }])
  })

  it('stops a query whose caller gave up', async () => {
    const abort = new AbortController()
    const endless = client.query({
      query: "SELECT 'endless' AS name, sum(sipHash64(number)) FROM numbers(100000000000)",
      format: 'JSONEachRow',
      abort_signal: abort.signal,
    })
    endless.catch(() => undefined)
    const running =
      "SELECT query FROM system.processes WHERE query LIKE '%\\'endless\\'%' AND query NOT LIKE '%processes%'"
    await eventually(async () => (await rows(running)).length === 1, {
      timeoutMs: 10_000,
      what: 'the query runs',
    })
    abort.abort()
    await expect(endless).rejects.toThrow(/abort/i)
    await eventually(async () => (await rows(running)).length === 0, {
      timeoutMs: 10_000,
      what: 'the engine stops the query',
    })
  })

  it('answers inserts and pings while more reads than may run at once never end', async () => {
    await client.command({ query: 'CREATE TABLE patient (n UInt32) ENGINE = MergeTree ORDER BY n' })
    const abort = new AbortController()
    // A scalar subquery runs while the statement is being analysed, where it could block more than itself.
    const endless = Array.from({ length: 6 }, () =>
      client
        .query({
          query: 'SELECT (SELECT sum(sipHash64(number)) FROM numbers(100000000000))',
          abort_signal: abort.signal,
        })
        .catch(() => 'stopped'),
    )
    // Looking at the processes is part of an insert here, because a read would have to wait.
    await eventually(
      async () => {
        await client.insert({ table: 'patient', values: [{ n: 1 }], format: 'JSONEachRow' })
        await client.command({
          query: `INSERT INTO patient SELECT throwIf(count() < 2)
                  FROM system.processes WHERE query LIKE '%numbers(100000000000)%' AND query NOT LIKE '%processes%'`,
        })
        return (await client.ping()).success
      },
      { timeoutMs: 20_000, what: 'inserts pass endless reads of which two are seen to run' },
    )
    abort.abort()
    expect(await Promise.all(endless)).toEqual(endless.map(() => 'stopped'))
    expect(await rows('SELECT count() > 0 AS stored FROM patient')).toEqual([{ stored: 1 }])
  })

  it('keeps 64 requests at once apart', async () => {
    await client.command({
      query: 'CREATE TABLE mixed (request UInt32, n UInt32) ENGINE = MergeTree ORDER BY n',
    })
    await Promise.all(
      Array.from({ length: 64 }, async (_, request) => {
        if (request % 2 === 0) {
          const values = Array.from({ length: request + 1 }, (__, n) => ({ request, n }))
          await client.insert({ table: 'mixed', values, format: 'JSONEachRow' })
          return
        }
        const result = await client.query({
          query: "SELECT {mine:UInt32} AS mine, getSetting('max_result_rows') AS setting",
          query_params: { mine: request },
          clickhouse_settings: { max_result_rows: String(1000 + request) },
          format: 'JSONEachRow',
        })
        expect(await result.json()).toEqual([{ mine: request, setting: 1000 + request }])
      }),
    )
    expect(await rows('SELECT count() AS rows, uniqExact(request) AS requests FROM mixed')).toEqual([
      { rows: 32 * 32, requests: 32 },
    ])
  })

  it.runIf(process.platform === 'linux')('sends a result of 400 MB in bounded memory', async () => {
    const before = residentMegabytes()
    const result = await client.query({
      query:
        "SELECT number, repeat('x', 1000) AS padding FROM numbers(400000) SETTINGS max_block_size = 1000",
      format: 'JSONEachRow',
    })
    let count = 0
    let peak = 0
    for await (const batch of result.stream()) {
      count += batch.length
      if (count % 20_000 < batch.length) peak = Math.max(peak, residentMegabytes())
    }
    expect(count).toBe(400_000)
    expect(peak - before).toBeLessThan(200)
  })

  it.runIf(process.platform === 'linux')('takes an insert of 400 MB in bounded memory', async () => {
    await client.command({ query: 'CREATE TABLE wide (s String) ENGINE = Null' })
    const line = Buffer.from(`${JSON.stringify({ s: 'x'.repeat(1000) })}\n`.repeat(1000))
    const before = residentMegabytes()
    const chunks = (function* () {
      for (let index = 0; index < 400; index += 1) yield line
    })()
    const inserted = await client.exec({
      query:
        'INSERT INTO wide SETTINGS max_insert_block_size = 10000, min_insert_block_size_bytes = 10000000 FORMAT JSONEachRow',
      values: Readable.from(chunks, { objectMode: false }),
    })
    expect(inserted.summary).toMatchObject({ written_rows: '400000' })
    inserted.stream.destroy()
    expect(residentMegabytes() - before).toBeLessThan(400)
  })
})

/** Memory of the warehouse's process, from Linux's /proc. */
function residentMegabytes(): number {
  const status = readFileSync(`/proc/${warehouse.process().pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

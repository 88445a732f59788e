import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { warehouseRequest } from '../support/warehouse-request.ts'

let warehouse: TestWarehouse
const send = (body: string, query: Record<string, string> = {}) =>
  warehouseRequest(warehouse.connection, { body, query })
const ask = async (sql: string) => (await send(sql)).text

beforeAll(async () => {
  warehouse = await startTestWarehouse()
})
afterAll(async () => {
  await warehouse.stop()
})

describe('what one request sets never acts on another', () => {
  it('a deduplication token drops no other insert', async () => {
    await ask(
      'CREATE TABLE tokens (n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100',
    )
    const insert = 'INSERT INTO tokens FORMAT TSV\n1\n2\n3\n'
    await send(insert, { insert_deduplication_token: 'a' })
    await send(insert, { insert_deduplication_token: 'a' })
    expect(await ask('SELECT count() FROM tokens')).toBe('3\n')
    await send(insert, { insert_deduplicate: '0' })
    await send(insert, { insert_deduplication_token: 'b' })
    expect(await ask('SELECT count() FROM tokens')).toBe('9\n')
    expect(await ask("SELECT getSetting('insert_deduplication_token')")).toBe('\n')
  })

  it('a token in the statement drops no other insert', async () => {
    await ask(
      'CREATE TABLE statement_tokens (n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100',
    )
    await ask("INSERT INTO statement_tokens SETTINGS insert_deduplication_token = 'a' FORMAT TSV\n1\n")
    await ask('INSERT INTO statement_tokens SETTINGS insert_deduplicate = 0 FORMAT TSV\n2\n')
    await ask("INSERT INTO statement_tokens SETTINGS insert_deduplication_token = 'b' FORMAT TSV\n3\n")
    expect(await ask('SELECT count() FROM statement_tokens')).toBe('3\n')
  })

  it('limits, readonly, parameters, SET and USE end with their request', async () => {
    await ask('CREATE DATABASE elsewhere')
    expect((await send('SELECT number FROM numbers(10)', { max_result_rows: '5' })).status).toBe(500)
    expect((await send('CREATE TABLE forbidden (n UInt8) ENGINE = Memory', { readonly: '1' })).status).toBe(
      500,
    )
    expect((await send('SELECT {p:String}', { param_p: 'x' })).text).toBe('x\n')
    await send('SET max_result_rows = 5')
    await send('USE elsewhere')
    await send('SELECT 1', { database: 'elsewhere' })

    expect((await ask('SELECT number FROM numbers(10)')).split('\n')).toHaveLength(11)
    expect((await send('CREATE TABLE allowed (n UInt8) ENGINE = Memory')).status).toBe(200)
    expect((await send('SELECT {p:String}')).status).toBe(500)
    expect(await ask('SELECT currentDatabase()')).toBe('default\n')
  })

  it('requests at the same time keep theirs apart', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        send("SELECT {p:String}, getSetting('max_block_size'), getSetting('log_comment')", {
          param_p: `v${index}`,
          max_block_size: String(1000 + index),
        }),
      ),
    )
    for (const [index, answer] of answers.entries()) {
      expect(answer.text.split('\t').slice(0, 2)).toEqual([`v${index}`, String(1000 + index)])
    }
  })
})

describe('values cannot become statements', () => {
  it.each([
    String.raw`\'; CREATE TABLE pwned (n UInt8) ENGINE = Memory; SELECT '`,
    `'; CREATE TABLE pwned (n UInt8) ENGINE = Memory; --`,
    `''; CREATE TABLE pwned (n UInt8) ENGINE = Memory; SELECT ''`,
    '\\',
    "\\\\'",
    `a\0b'`,
    `line\nbreak';`,
  ])('as a setting: %j', async (value) => {
    const answer = await send("SELECT getSetting('log_comment') FORMAT RawBLOB", { log_comment: value })
    expect(answer.text.startsWith(value)).toBe(true)
    expect(await ask("SELECT count() FROM system.tables WHERE name = 'pwned'")).toBe('0\n')
  })

  it('as a parameter, a database or a name', async () => {
    const value = String.raw`\\'; CREATE TABLE pwned (n UInt8) ENGINE = Memory; SELECT '`
    expect((await send('SELECT {p:String} FORMAT RawBLOB', { param_p: value })).text).toBe(
      String.raw`\'; CREATE TABLE pwned (n UInt8) ENGINE = Memory; SELECT '`,
    )
    expect(
      (await send('SELECT 1', { database: '`; CREATE TABLE pwned (n UInt8) ENGINE = Memory; --' })).status,
    ).toBe(404)
    expect(
      (await send('SELECT 1', { 'param_p = 1; CREATE TABLE pwned (n UInt8) ENGINE = Memory; --': '' }))
        .status,
    ).toBe(400)
    expect((await send('SELECT 1', { default_format: "CSV' ; CREATE TABLE pwned" })).status).toBe(400)
    expect(await ask("SELECT count() FROM system.tables WHERE name = 'pwned'")).toBe('0\n')
  })
})

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestWarehouse, type TestWarehouse } from '../support/start-warehouse.ts'
import { warehouseRequest } from '../support/warehouse-request.ts'

let warehouse: TestWarehouse
const send = (request: Parameters<typeof warehouseRequest>[1]) =>
  warehouseRequest(warehouse.connection, request)
const ask = async (sql: string) => (await send({ body: sql })).text

beforeAll(async () => {
  warehouse = await startTestWarehouse({ TZ: 'Asia/Tokyo' })
  await ask('CREATE TABLE letters (n UInt32, s String) ENGINE = MergeTree ORDER BY n')
})
afterAll(async () => {
  await warehouse.stop()
})

describe('who may ask', () => {
  it('answers a ping to anybody and nothing else', async () => {
    const ping = await send({ path: '/ping', method: 'GET', headers: {} })
    expect(ping).toMatchObject({ status: 200, text: 'Ok.\n' })
    for (const path of ['/', '/query', '/play', '/metrics', '/ping/']) {
      const answer = await send({ path, method: 'GET', headers: {}, query: { query: 'SELECT 1' } })
      expect({ path, status: answer.status }).toEqual({ path, status: 401 })
    }
  })

  it.each([
    { name: 'no credentials', headers: {}, query: {}, status: 401 },
    {
      name: 'the wrong password',
      headers: { 'x-clickhouse-user': 'keywatch', 'x-clickhouse-key': 'x' },
      query: {},
      status: 403,
    },
    {
      name: 'another user',
      headers: { 'x-clickhouse-user': 'default', 'x-clickhouse-key': '' },
      query: {},
      status: 403,
    },
    {
      name: 'a wrong password in the URL',
      headers: {},
      query: { user: 'keywatch', password: '' },
      status: 403,
    },
    {
      name: 'wrong Basic',
      headers: { authorization: `Basic ${Buffer.from('keywatch:no').toString('base64')}` },
      query: {},
      status: 403,
    },
    { name: 'Basic that is none', headers: { authorization: 'Basic !!!' }, query: {}, status: 401 },
  ])('refuses $name', async ({ headers, query, status }) => {
    const answer = await send({ headers, query, body: 'CREATE TABLE intruder (n UInt8) ENGINE = Memory' })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe('516')
    expect(answer.text).toMatch(
      /^Code: 516\. DB::Exception: .*Authentication failed.*\(AUTHENTICATION_FAILED\)/,
    )
    expect(await ask('EXISTS TABLE intruder')).toBe('0\n')
  })

  it('takes the password in each of the three ways', async () => {
    const { username, password } = warehouse.connection
    const basic = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
    expect(await send({ headers: basic, body: 'SELECT 1' })).toMatchObject({ status: 200, text: '1\n' })
    const inUrl = { user: username, password }
    expect(await send({ headers: {}, query: inUrl, body: 'SELECT 2' })).toMatchObject({
      status: 200,
      text: '2\n',
    })
  })
})

describe('statements', () => {
  it('takes the statement from the URL, from the body or from both together', async () => {
    expect((await send({ method: 'GET', query: { query: 'SELECT 1' } })).text).toBe('1\n')
    expect(await ask('SELECT 2')).toBe('2\n')
    expect((await send({ query: { query: 'SELECT 3' }, body: '+ 4' })).text).toBe('7\n')
    expect((await send({ query: { query: 'SELECT 5' }, path: '/query' })).text).toBe('5\n')
  })

  it('does not let GET change anything', async () => {
    const answer = await send({ method: 'GET', query: { query: 'DROP TABLE letters' } })
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe('164')
    expect(await ask('EXISTS TABLE letters')).toBe('1\n')
  })

  it('refuses a second statement and runs neither', async () => {
    const answer = await send({ body: 'SELECT 1; DROP TABLE letters' })
    expect(answer).toMatchObject({ status: 400 })
    expect(answer.text).toMatch(/^Code: 62\. .*Multi-statements are not allowed/)
    expect(await ask('EXISTS TABLE letters')).toBe('1\n')
    expect(await ask("SELECT ';' AS a, 1 /* ; */; -- ;")).toBe(';\t1\n')
  })

  it.each([
    { sql: 'SELEC 1', status: 400, code: '62' },
    { sql: '', status: 400, code: '62' },
    { sql: 'SELECT * FROM missing', status: 404, code: '60' },
    { sql: 'SELECT * FROM missing.missing', status: 404, code: '81' },
    { sql: 'SELECT missing()', status: 404, code: '46' },
    { sql: "SELECT toUInt8('x')", status: 400, code: '6' },
    { sql: "SELECT throwIf(1, 'by the way')", status: 500, code: '395' },
    {
      sql: 'SELECT sum(number) FROM numbers(1000000000000) SETTINGS max_execution_time = 0.2',
      status: 408,
      code: '159',
    },
    { sql: 'SELECT 1 FORMAT Nonsense', status: 404, code: '73' },
    { sql: "SELECT 1 INTO OUTFILE '/tmp/keywatch-outfile'", status: 501, code: '48' },
    { sql: "INSERT INTO letters FROM INFILE '/etc/hostname' FORMAT LineAsString", status: 404, code: '78' },
    { sql: 'SELECT {missing:String}', status: 500, code: '456' },
  ])('answers "$sql" with ClickHouse\'s error $code and status $status', async ({ sql, status, code }) => {
    const answer = await send({ body: sql })
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe(code)
    expect(answer.status).toBe(status)
    expect(answer.text).toMatch(
      new RegExp(`^Code: ${code}\\. DB::Exception: [^]*\\([A-Z0-9_]+\\) \\(version `),
    )
    expect(answer.text).not.toContain(warehouse.dataDirectory)
  })

  it.each([
    { query: { session_id: 'mine' }, code: '48', says: /session/i },
    { query: { compress: '1' }, code: '48', says: /Content-Encoding/ },
    { query: { role: 'admin' }, code: '48', says: /Roles/ },
    { query: { nonsense_setting: '1' }, code: '115', says: /nonsense_setting/ },
    { query: { "a' = 1, b": '1' }, code: '36', says: /Bad name/ },
    { query: { database: 'missing' }, code: '81', says: /missing/ },
    { query: { query_id: 'a\r\nx-injected: 1' }, code: '36', says: /query_id/ },
  ])('refuses the parameters $query', async ({ query, code, says }) => {
    const answer = await send({ query, body: 'SELECT 1' })
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe(code)
    expect(answer.text).toMatch(says)
    expect(answer.headers.get('x-injected')).toBeNull()
  })
})

describe('answers', () => {
  it("carry ClickHouse's headers", async () => {
    const answer = await send({
      query: { query_id: 'abc-1', wait_end_of_query: '1' },
      body: 'SELECT number FROM numbers(3)',
    })
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-clickhouse-query-id': 'abc-1',
      'x-clickhouse-format': 'TabSeparated',
      'x-clickhouse-timezone': 'UTC',
      'content-type': 'text/tab-separated-values; charset=UTF-8',
    })
    expect(answer.headers.get('x-clickhouse-server-display-name')).not.toBeNull()
    expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ result_rows: '3' })
  })

  it("do not depend on the machine's time zone", async () => {
    expect(await ask("SELECT timezone(), toUnixTimestamp(toDateTime('2026-01-01 00:00:00'))")).toBe(
      'UTC\t1767225600\n',
    )
  })

  it.each([
    { sql: 'SELECT 1 AS a FORMAT JSON', query: {}, format: 'JSON', type: 'application/json; charset=UTF-8' },
    {
      sql: 'SELECT 1 AS a',
      query: { default_format: 'CSVWithNames' },
      format: 'CSVWithNames',
      type: 'text/csv; charset=UTF-8; header=present',
    },
    { sql: 'SELECT 1 AS a FORMAT Parquet', query: {}, format: 'Parquet', type: 'application/octet-stream' },
    {
      sql: 'SHOW DATABASES',
      query: { default_format: 'JSONEachRow' },
      format: 'JSONEachRow',
      type: 'application/x-ndjson; charset=UTF-8',
    },
  ])('come as $format when asked', async ({ sql, query, format, type }) => {
    const answer = await send({ query, body: sql })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-clickhouse-format')).toBe(format)
    expect(answer.headers.get('content-type')).toBe(type)
    expect(answer.bytes.length).toBeGreaterThan(0)
  })

  it('come compressed when asked', async () => {
    const { username, password } = warehouse.connection
    const headers = { 'x-clickhouse-user': username, 'x-clickhouse-key': password, 'accept-encoding': 'gzip' }
    const compressed = await send({
      headers,
      query: { enable_http_compression: '1' },
      body: 'SELECT number FROM numbers(100000)',
    })
    // fetch has undone the compression; the header shows that there was one.
    expect(compressed.headers.get('content-encoding')).toBe('gzip')
    expect(compressed.text.split('\n')).toHaveLength(100_001)
    const plain = await send({ headers, body: 'SELECT 1' })
    expect(plain.headers.get('content-encoding')).toBeNull()
  })

  it('do not begin before the last row is known, so that no error hides in a 200', async () => {
    const answer = await send({ body: 'SELECT throwIf(number = 900000) FROM numbers(1000000) FORMAT TSV' })
    expect(answer).toMatchObject({ status: 500 })
    expect(answer.text).toMatch(/^Code: 395/)
  })

  it('leave no file behind', () => {
    expect(readdirSync(join(warehouse.dataDirectory, 'warehouse', 'spool'))).toEqual([])
  })

  it('keep sane manners for other methods and paths', async () => {
    expect(await send({ method: 'OPTIONS' })).toMatchObject({ status: 204 })
    expect((await send({ method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS')
    expect(await send({ method: 'HEAD', path: '/ping' })).toMatchObject({ status: 200, text: '' })
    expect(await send({ method: 'GET', path: '/nowhere' })).toMatchObject({ status: 404 })
    expect(await send({ method: 'GET' })).toMatchObject({ status: 200, text: 'Ok.\n' })
  })
})

describe('inserts', () => {
  const insert = async (
    format: string,
    data: Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) => {
    await ask('TRUNCATE TABLE letters')
    const { username, password } = warehouse.connection
    return send({
      query: { query: `INSERT INTO letters (n, s) FORMAT ${format}` },
      body: data,
      headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password, ...headers },
    })
  }
  const source =
    "SELECT toUInt32(number) AS n, concat('a\\n\\n;\\0', toString(number)) AS s FROM numbers(70000)"
  const stored = 'SELECT count(), sum(n), sum(sipHash64(s)) FROM letters'
  const expected = `SELECT count(), sum(n), sum(sipHash64(s)) FROM (${source})`

  // 70,000 rows of counting numbers hold every pair of bytes, empty lines among them.
  it.each([
    'Native',
    'RowBinary',
    'TabSeparated',
    'CSV',
    'JSONEachRow',
    'JSON',
    'JSONColumns',
    'Parquet',
    'ArrowStream',
    'MsgPack',
    'Values',
  ])('stores %s exactly', async (format) => {
    const data = (await send({ body: `${source} FORMAT ${format}` })).bytes
    const answer = await insert(format, Uint8Array.from(data))
    expect(answer).toMatchObject({ status: 200 })
    expect(await ask(stored)).toBe(await ask(expected))
  })

  it.each([
    { encoding: 'gzip', compress: gzipSync },
    { encoding: 'deflate', compress: deflateSync },
    { encoding: 'br', compress: brotliCompressSync },
  ])('undoes $encoding, with the statement in the URL and in the body', async ({ encoding, compress }) => {
    const data = (await send({ body: `${source} FORMAT TSV` })).bytes
    const headers = { 'content-encoding': encoding }
    expect(await insert('TSV', Uint8Array.from(compress(data)), headers)).toMatchObject({ status: 200 })
    expect(await ask(stored)).toBe(await ask(expected))

    await ask('TRUNCATE TABLE letters')
    const { username, password } = warehouse.connection
    const whole = Buffer.concat([Buffer.from('INSERT INTO letters FORMAT TSV\n'), data])
    const answer = await send({
      body: Uint8Array.from(compress(whole)),
      headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password, ...headers },
    })
    expect(answer).toMatchObject({ status: 200 })
    expect(await ask(stored)).toBe(await ask(expected))
  })

  it('stores nothing of a body that is cut short or of an encoding that is not known', async () => {
    const data = Uint8Array.from(gzipSync('1\ta\n'.repeat(10_000)))
    const cut = await insert('TSV', data.slice(0, -20), { 'content-encoding': 'gzip' })
    expect(cut.status).toBeGreaterThanOrEqual(400)
    expect(await insert('TSV', data, { 'content-encoding': 'secret' })).toMatchObject({ status: 501 })
    expect(await ask('SELECT count() FROM letters')).toBe('0\n')
  })

  it('takes data in the statement, after empty lines and behind a column called format', async () => {
    await ask('TRUNCATE TABLE letters')
    await ask('CREATE TABLE values (format UInt8, settings String) ENGINE = MergeTree ORDER BY format')
    expect(
      (
        await send({
          body: "INSERT INTO values (format, settings) VALUES (1, 'a;b'), (2, {p:String});",
          query: { param_p: "it's" },
        })
      ).text,
    ).toBe('')
    expect(await ask('SELECT * FROM values ORDER BY format FORMAT CSV')).toBe('1,"a;b"\n2,"it\'s"\n')
    expect(
      (
        await send({
          body: 'INSERT INTO letters SETTINGS async_insert = 0 FORMAT JSONEachRow\n\n{"n":1}\n\n\n{"n":2}\n\n',
        })
      ).text,
    ).toBe('')
    expect(await ask('SELECT sum(n) FROM letters')).toBe('3\n')
    expect(
      (await send({ body: 'INSERT INTO letters SELECT number, toString(number) FROM numbers(5)' })).text,
    ).toBe('')
    expect((await send({ body: 'INSERT INTO letters FORMAT JSONEachRow' })).status).toBe(200)
    expect(await ask('SELECT count() FROM letters')).toBe('7\n')
  })
})

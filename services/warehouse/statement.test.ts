import { describe, expect, it } from 'vitest'
import { readStatement } from './statement.ts'

const FILE = "FROM INFILE 'f' "
/** The statement as it goes to the engine, and its data. */
function insertOf(text: string): { sql: string; data: string } {
  const statement = readStatement(text)
  if (statement.kind !== 'insert-data') throw new Error(`not an insert with data: ${statement.kind}`)
  return { sql: `${statement.before}${FILE}${statement.after}`, data: text.slice(statement.dataAt) }
}

describe('an INSERT that awaits data', () => {
  it.each([
    {
      text: 'INSERT INTO t FORMAT CSV\n1,2\n',
      sql: `INSERT INTO t ${FILE} FORMAT CSV`,
      data: '1,2\n',
    },
    {
      text: 'insert into t (a, b) settings x = 1 format CSV 1,2',
      sql: `insert into t (a, b) ${FILE}settings x = 1  FORMAT CSV`,
      data: '1,2',
    },
    {
      text: "INSERT INTO t VALUES (1, 'a;b');",
      sql: `INSERT INTO t ${FILE} FORMAT Values`,
      data: " (1, 'a;b');",
    },
    { text: 'INSERT INTO format FORMAT TSV\n1', sql: `INSERT INTO format ${FILE} FORMAT TSV`, data: '1' },
    {
      text: 'INSERT INTO values.settings (format) VALUES (1)',
      sql: `INSERT INTO values.settings (format) ${FILE} FORMAT Values`,
      data: ' (1)',
    },
    { text: 'INSERT INTO TABLE t FORMAT TSV\n1', sql: `INSERT INTO TABLE t ${FILE} FORMAT TSV`, data: '1' },
    {
      text: "INSERT INTO FUNCTION null('a UInt8') FORMAT TSV\n1",
      sql: `INSERT INTO FUNCTION null('a UInt8') ${FILE} FORMAT TSV`,
      data: '1',
    },
    {
      text: '/* FORMAT x */ INSERT INTO `FORMAT` FORMAT TSV\r\n\n1',
      sql: `/* FORMAT x */ INSERT INTO \`FORMAT\` ${FILE} FORMAT TSV`,
      data: '\n1',
    },
    { text: 'INSERT INTO t FORMAT JSONEachRow', sql: `INSERT INTO t ${FILE} FORMAT JSONEachRow`, data: '' },
  ])('$text', ({ text, sql, data }) => {
    expect(insertOf(text)).toEqual({ sql, data })
  })

  it('is not read beyond the place where its data begins', () => {
    const started = performance.now()
    const { data } = insertOf(`INSERT INTO t FORMAT CSV\n${'"(\'\n'.repeat(5_000_000)}`)
    expect(data).toHaveLength(20_000_000)
    // Reading all of it takes seconds.
    expect(performance.now() - started).toBeLessThan(500)
  })

  it('that names a file of this machine is refused as by a server', () => {
    expect(() => readStatement("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV")).toThrow(/infile/)
  })
})

describe('a query', () => {
  it.each([
    { text: 'SELECT 1', before: 'SELECT 1', after: '' },
    { text: ' SELECT 1 ; -- done', before: ' SELECT 1', after: '' },
    { text: 'SELECT 1 FORMAT CSV', before: 'SELECT 1 ', after: 'FORMAT CSV', format: 'CSV' },
    {
      text: 'SELECT 1 FORMAT CSV SETTINGS a = 1',
      before: 'SELECT 1 ',
      after: 'FORMAT CSV SETTINGS a = 1',
      format: 'CSV',
    },
    {
      text: 'WITH x AS (SELECT 1 FORMAT) SELECT * FROM x',
      before: 'WITH x AS (SELECT 1 FORMAT) SELECT * FROM x',
      after: '',
    },
    { text: "SELECT 'FORMAT CSV'", before: "SELECT 'FORMAT CSV'", after: '' },
    { text: '(SELECT 1) UNION ALL (SELECT 2)', before: '(SELECT 1) UNION ALL (SELECT 2)', after: '' },
    {
      text: 'FROM t SELECT format FORMAT TSV',
      before: 'FROM t SELECT format ',
      after: 'FORMAT TSV',
      format: 'TSV',
    },
  ])('$text', ({ text, before, after, ...format }) => {
    expect(readStatement(text)).toMatchObject({ kind: 'select', before, after, ...format })
  })

  it.each([
    { text: 'SHOW TABLES FORMAT JSON', reads: true, format: 'JSON' },
    { text: 'CREATE TABLE t (n UInt8) ENGINE = Memory', reads: false },
    { text: 'INSERT INTO t SELECT 1', reads: false },
    { text: 'INSERT INTO t WITH 1 AS x SELECT x', reads: false },
    { text: 'WITH 1 AS x INSERT INTO t SELECT x', reads: false },
    { text: 'ALTER TABLE t DELETE WHERE 1', reads: false },
  ])('of another kind: $text', ({ text, ...rest }) => {
    expect(readStatement(text)).toEqual({ kind: 'other', text, ...rest })
  })

  it.each(['SELECT 1; SELECT 2', 'SELECT 1;;\n-- x\nDROP TABLE t', 'DROP TABLE a; DROP TABLE b'])(
    'with a second statement is refused: %s',
    (text) => {
      expect(() => readStatement(text)).toThrow(/Multi-statements are not allowed/)
    },
  )

  it.each(['', ' \n', '-- nothing', ';'])('that is empty is refused: %j', (text) => {
    expect(() => readStatement(text)).toThrow(/Empty query/)
  })

  it('that names a file of this machine is refused', () => {
    expect(() => readStatement("SELECT 1 INTO OUTFILE '/tmp/x'")).toThrow(/OUTFILE/)
  })
})

import { describe, expect, it } from 'vitest'
import { errorBody, exception, fromEngineError, httpStatus } from './clickhouse-error.ts'
import { credentialsMatch, presentedCredentials } from './credentials.ts'
import { quoteString, scopeStatements } from './session-settings.ts'
import { warehouseAddress } from './warehouse.ts'

describe("the engine's errors", () => {
  it('keep number, name and text', () => {
    const error = fromEngineError(
      new Error('Code: 60. DB::Exception: Table a (b) does not exist. (UNKNOWN_TABLE)'),
    )
    expect(error).toMatchObject({ code: 60, type: 'UNKNOWN_TABLE', message: 'Table a (b) does not exist.' })
    expect(httpStatus(error)).toBe(404)
    expect(errorBody(error, '26.7.2.1')).toBe(
      'Code: 60. DB::Exception: Table a (b) does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)\n',
    )
  })

  it('lose the repetitions of the layers they came through', () => {
    const message =
      'Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format Foo. (UNKNOWN_FORMAT) (version 26.7.2.1). (UNKNOWN_FORMAT)'
    expect(fromEngineError(new Error(message))).toMatchObject({ code: 73, message: 'Unknown format Foo.' })
  })

  it('that look like none become unknown exceptions', () => {
    expect(fromEngineError('out of the blue')).toMatchObject({ code: 1002, message: 'out of the blue' })
    expect(httpStatus(exception(1002, ''))).toBe(500)
  })
})

describe('credentials', () => {
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

  it.each([
    {
      name: 'headers',
      headers: { 'x-clickhouse-user': 'a', 'x-clickhouse-key': 'b' },
      url: {},
      found: { username: 'a', password: 'b' },
    },
    {
      name: 'Basic with a colon in the password',
      headers: basic('a:b:c'),
      url: {},
      found: { username: 'a', password: 'b:c' },
    },
    {
      name: 'the URL',
      headers: {},
      url: { user: 'a', password: 'b' },
      found: { username: 'a', password: 'b' },
    },
    {
      name: 'a password without a user',
      headers: {},
      url: { password: 'b' },
      found: { username: 'default', password: 'b' },
    },
    { name: 'nothing', headers: {}, url: {}, found: undefined },
    { name: 'another scheme', headers: { authorization: 'Bearer a' }, url: {}, found: undefined },
  ])('are found in $name', ({ headers, url, found }) => {
    expect(presentedCredentials(headers, new Map(Object.entries(url)))).toEqual(found)
  })

  it('match only as a whole', () => {
    const expected = { username: 'keywatch', password: 'secret' }
    expect(credentialsMatch({ ...expected }, expected)).toBe(true)
    expect(credentialsMatch({ ...expected, password: '' }, expected)).toBe(false)
    expect(credentialsMatch({ ...expected, password: 'secret ' }, expected)).toBe(false)
    expect(credentialsMatch({ ...expected, username: 'default' }, expected)).toBe(false)
  })
})

describe("a request's scope", () => {
  it('is the database, then parameters, then settings', () => {
    const scope = {
      database: 'a`b\\',
      parameters: new Map([['p', "it's"]]),
      settings: new Map([
        ['log_comment', 'x'],
        ['readonly', '1'],
      ]),
    }
    expect(scopeStatements(scope)).toEqual([
      'USE `a\\`b\\\\`',
      String.raw`SET param_p = 'it\'s'`,
      "SET log_comment = 'x', readonly = '1'",
    ])
    expect(scopeStatements({ parameters: new Map(), settings: new Map() })).toEqual([])
  })

  it.each(['a b', "a'", 'a=1', '', '1a', 'a.b', 'é'])('refuses the name %j', (name) => {
    expect(() => scopeStatements({ parameters: new Map(), settings: new Map([[name, '1']]) })).toThrow(
      /Bad name/,
    )
  })

  it('quotes what could end a string', () => {
    expect(quoteString("a'b\\c\0")).toBe(String.raw`'a\'b\\c\0'`)
  })
})

describe('the address', () => {
  it.each([
    { url: 'http://127.0.0.1:8123', host: '127.0.0.1', port: 8123 },
    { url: 'http://localhost:1', host: 'localhost', port: 1 },
    { url: 'http://[::1]:8123/', host: '::1', port: 8123 },
    { url: 'http://127.9.9.9', host: '127.9.9.9', port: 80 },
  ])('$url is of this machine', ({ url, ...address }) => {
    expect(warehouseAddress(url)).toEqual(address)
  })

  it.each([
    'http://0.0.0.0:1',
    'http://10.0.0.1:1',
    'http://127.0.0.1.example.com',
    'https://localhost',
    'http://[::]:1',
  ])('%s is refused', (url) => {
    expect(() => warehouseAddress(url)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig, loadConfigWithoutKeys } from './load-config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywatch-config-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** An environment that names a configuration file with this content. */
function withFile(yaml: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const file = join(folder, 'keywatch.yaml')
  writeFileSync(file, yaml)
  return { KEYWATCH_CONFIG: file, ...more }
}

describe('loadConfig', () => {
  it('needs nothing: an empty file is the embedded set-up without sources', () => {
    const config = loadConfig(withFile(''))
    expect(config.event_log.url).toBe('file:data/event-log')
    expect(config.ingest.listen).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.sources).toEqual({})
    expect(config.attribution).toEqual([{ custom_arg: 'api_key_id' }, { category_prefix: 'key:' }])
  })

  it('lets the environment override one setting and keeps its neighbours', () => {
    const yaml = 'warehouse:\n  database: history\n  username: someone\n'
    const config = loadConfig(withFile(yaml, { KEYWATCH_WAREHOUSE__USERNAME: 'other' }))
    expect(config.warehouse).toMatchObject({ database: 'history', username: 'other' })
  })

  it('takes digits, truth values, lists and maps from the environment', () => {
    const config = loadConfig(
      withFile('', {
        KEYWATCH_EVENT_LOG__PARTITIONS: '6',
        KEYWATCH_SOURCES: '{main: {public_keys: [abc], key: billing}}',
        KEYWATCH_NOTIFIER__CHANNELS__OPS: '{type: webhook, url: "https://example.com", secrets: [whsec_a]}',
        KEYWATCH_NOTIFIER__CHANNELS__OPS__ALLOW_PRIVATE_ADDRESS: 'true',
      }),
    )
    expect(config.event_log.partitions).toBe(6)
    expect(config.sources['main']).toMatchObject({ public_keys: ['abc'], key: 'billing' })
    expect(config.notifier.channels['ops']).toMatchObject({ allow_private_address: true })
  })

  it('keeps a password of digits as it is written', () => {
    expect(loadConfig(withFile('', { KEYWATCH_WAREHOUSE__PASSWORD: '00123' })).warehouse.password).toBe(
      '00123',
    )
  })

  it('reads a secret from the file that a _FILE variable names', () => {
    const secret = join(folder, 'password')
    writeFileSync(secret, 'from a file\n')
    expect(loadConfig(withFile('', { KEYWATCH_WAREHOUSE__PASSWORD_FILE: secret })).warehouse.password).toBe(
      'from a file',
    )
  })

  it('does not take the path of a TLS key for a secret to be read', () => {
    const config = loadConfig(
      withFile('', {
        KEYWATCH_INGEST__TLS__CERTIFICATE_FILE: '/absent/certificate.pem',
        KEYWATCH_INGEST__TLS__KEY_FILE: '/absent/key.pem',
      }),
    )
    expect(config.ingest.tls).toEqual({
      certificate_file: '/absent/certificate.pem',
      key_file: '/absent/key.pem',
    })
  })

  it('counts an empty variable as not set', () => {
    expect(loadConfig(withFile('', { KEYWATCH_LOG_LEVEL: '' })).log_level).toBe('info')
  })

  it.each([
    { fault: 'a misspelt section', yaml: 'ingets: {}', says: /ingets/ },
    { fault: 'a misspelt setting', yaml: 'ingest: {listne: ":1"}', says: /listne/ },
    {
      fault: 'a source without keys',
      yaml: 'sources: {main: {public_keys: []}}',
      says: /sources\.main\.public_keys/,
    },
    { fault: 'a port out of range', yaml: 'ingest: {listen: "127.0.0.1:99999"}', says: /ingest\.listen/ },
    { fault: 'no map at all', yaml: '- a\n- b', says: /map of sections/ },
    { fault: 'no YAML', yaml: 'a: [', says: /not YAML/ },
    {
      fault: 'Kafka without a shared hash key',
      yaml: 'event_log: {url: "kafka://127.0.0.1:9092"}',
      says: /privacy\.hash_key/,
    },
  ])('refuses $fault and says where', ({ yaml, says }) => {
    expect(() => loadConfig(withFile(yaml))).toThrow(says)
  })

  it('names every fault at once', () => {
    const yaml = 'log_level: loud\ndetector: {block_wait_ms: 0}\n'
    expect(() => loadConfig(withFile(yaml))).toThrow(
      /log_level[\s\S]*block_wait_ms|block_wait_ms[\s\S]*log_level/,
    )
  })

  it('refuses a named configuration file that is absent', () => {
    expect(() => loadConfig({ KEYWATCH_CONFIG: join(folder, 'absent.yaml') })).toThrow(/cannot be read/)
  })

  it('does not let a variable reach the prototype', () => {
    expect(() => loadConfig(withFile('', { KEYWATCH___PROTO____POLLUTED: 'yes' }))).toThrow(
      /faults|names no setting/,
    )
    expect('polluted' in {}).toBe(false)
  })

  it.each([
    { place: 'the file', env: () => withFile('warehouse:\n  password: hunter2: a b\n') },
    {
      place: 'the file, unclosed',
      env: () => withFile('warehouse:\n  password: "hunter2\n  url: http://x\n'),
    },
    { place: 'a variable', env: () => withFile('', { KEYWATCH_SOURCES: '{main: {key: "hunter2' }) },
    { place: 'a secret', env: () => withFile('', { KEYWATCH_WAREHOUSE__PASSWORD: '{hunter2' }) },
    {
      place: 'a misspelt setting',
      env: () => withFile('notifier: {channels: {a: {type: slack, uri: https://x/hunter2}}}'),
    },
    { place: 'a bad URL', env: () => withFile('warehouse: {url: ftp://keywatch:hunter2@x}') },
  ])('repeats nothing of a faulty configuration, which may hold a secret: $place', ({ env }) => {
    let failure: unknown
    try {
      loadConfig(env())
    } catch (error) {
      failure = error
    }
    expect(failure).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(inspect(failure, { depth: 10 })).not.toContain('hunter2')
  })
})

describe('loadConfigWithoutKeys', () => {
  it('takes a source without public keys, and is as strict about all else', () => {
    const config = loadConfigWithoutKeys(withFile('sources: {main: {key: billing}, other: }'))
    expect(Object.keys(config.sources)).toEqual(['main', 'other'])
    expect(config.sources['main']).toMatchObject({ key: 'billing' })
    expect(() => loadConfigWithoutKeys(withFile('sources: {main: {kee: billing}}'))).toThrow(/kee/)
    expect(() => loadConfig(withFile('sources: {main: {key: billing}}'))).toThrow(/public_keys/)
  })
})

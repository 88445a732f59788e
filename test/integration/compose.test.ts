import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '#shared/config/load-config.ts'
import { ownServices, readComposeDocument, readComposeFile, REPOSITORY } from '../support/compose-file.ts'

const run = promisify(execFile)
const variables = { KEYWATCH_DOMAIN: 'hooks.example.com' }
const compose = readComposeFile(variables)
const services = Object.entries(compose.services)
const own = ownServices(compose)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keywatch-compose-'))
  await mkdir(join(folder, 'docker'))
  await cp(`${REPOSITORY}docker/make-secrets.sh`, join(folder, 'docker/make-secrets.sh'))
  await run('sh', [join(folder, 'docker/make-secrets.sh')])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('docker-compose.yml', () => {
  it('is valid by the schema of the Compose specification, which would notice a misspelt field', async () => {
    const text = await readFile(`${REPOSITORY}test/fixtures/compose-spec.schema.json`, 'utf8')
    const parsed: unknown = JSON.parse(text, (key, value: unknown) =>
      // Ajv knows the `$schema` only without its `#`, and `id` is a leftover of an older draft.
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    )
    const schema = z.looseObject({ properties: z.record(z.string(), z.unknown()) }).parse(parsed)
    // The top-level `name` joined the specification after this copy was published.
    schema.properties['name'] = { type: 'string' }
    const validate = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema)
    const document = z
      .looseObject({ services: z.record(z.string(), z.unknown()) })
      .parse(readComposeDocument(variables))
    validate(document)
    expect(validate.errors).toBeNull()
    validate({ ...document, services: { ...document.services, typo: { image: 'x', comand: ['y'] } } })
    expect(validate.errors).not.toBeNull()
  })

  it.each(services)('%s runs an image of one exact version', (_name, { image }) => {
    expect(image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+\.\d+[a-z0-9.-]*$/)
  })

  it('builds our image on one exact version of the current LTS', async () => {
    const dockerfile = await readFile(`${REPOSITORY}Dockerfile`, 'utf8')
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
    expect(bases.length).toBeGreaterThan(0)
    expect(new Set(bases).size).toBe(1)
    expect(bases[0]).toMatch(/^node:24\.\d+\.\d+-bookworm-slim$/)
    expect(dockerfile).toMatch(/^USER node$/m)
  })

  it('mounts only what is there, or what its header says to make', async () => {
    const mounted = [
      ...Object.values(compose.configs).map(({ file }) => file),
      ...Object.values(compose.secrets).map(({ file }) => file),
      ...services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')[0] ?? '')),
    ].filter((path) => path.startsWith('./'))
    const sizes = await Promise.all(mounted.map(async (path) => (await stat(whereItComesFrom(path))).size))
    expect(sizes.length).toBeGreaterThan(6)
    expect(Math.min(...sizes)).toBeGreaterThan(0)
    const header = (await readFile(`${REPOSITORY}docker-compose.yml`, 'utf8')).split('\nname:')[0]
    expect(header).toContain('docker/make-secrets.sh')
    expect(header).toContain('cp keywatch.example.yaml keywatch.yaml')
    const ignored = await readFile(`${REPOSITORY}.gitignore`, 'utf8')
    expect(ignored.split('\n')).toEqual(expect.arrayContaining(['/keywatch.yaml', '/secrets/']))
  })

  it.each(services)('%s uses only secrets, networks and volumes that are declared', (_name, service) => {
    const named = service.volumes
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => !source.startsWith('./'))
    const configs = service.configs.map(({ source }) => source)
    const secretPaths = JSON.stringify(service).match(/\/run\/secrets\/\w+/g) ?? []
    const read = secretPaths.map((path) => path.slice('/run/secrets/'.length))
    expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining(service.secrets))
    expect(service.secrets).toEqual(expect.arrayContaining(read))
    expect(Object.keys(compose.configs)).toEqual(expect.arrayContaining(configs))
    expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(service.networks))
    expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named))
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(Object.keys(service.depends_on)))
  })

  it('publishes only the proxy, and Grafana on this machine', () => {
    const published = services.filter(([, { ports }]) => ports.length > 0)
    expect(Object.fromEntries(published.map(([name, { ports }]) => [name, ports]))).toEqual({
      caddy: ['80:80', '443:443'],
      grafana: ['127.0.0.1:3000:3000'],
    })
    expect(compose.networks['backend']).toEqual({ internal: true })
    expect(compose.services['caddy']?.networks).toEqual(['edge'])
    expect(compose.services['kafka']?.networks).toEqual(['backend'])
    expect(compose.services['clickhouse']?.networks).toEqual(['backend'])
  })

  it.each(services)('%s has a memory limit', (_name, service) => {
    expect(service['mem_limit']).toMatch(/^\d+[mg]$/)
  })

  it.each(services.filter(([name]) => name !== 'migrate'))('%s is asked for its health', (_name, service) => {
    // `localhost` could mean an IPv6 address on which nothing listens.
    expect(JSON.stringify(service.healthcheck.test)).toContain('127.0.0.1')
    expect(service.healthcheck.disable).toBeUndefined()
  })
})

describe('our own containers', () => {
  it('are ingest, two detectors, notifier and the migration', () => {
    expect(own.map(([name]) => name)).toEqual(['migrate', 'ingest', 'detector', 'notifier'])
    expect(compose.services['detector']?.['deploy']).toEqual({ replicas: 2 })
  })

  it.each(own)('%s cannot write, gain rights or be root, and has time to stop', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      user: 'node',
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      stop_grace_period: '15s',
    })
    expect(Number(service.environment['KEYWATCH_STOP_DEADLINE_MS'])).toBeLessThan(15_000)
  })

  it.each(own)('%s is configured with settings that exist', (_name, service) => {
    const config = loadConfig(environmentOf(service))
    expect(config.event_log.url).toBe('kafka://kafka:9092')
    expect(config.warehouse).toMatchObject({ url: 'http://clickhouse:8123', username: 'keywatch' })
    expect(config.warehouse.password).toMatch(/^[0-9a-f]{64}$/)
    expect(config.privacy.hash_key).toMatch(/^[0-9a-f]{64}$/)
    expect(config.warehouse.password).not.toBe(config.privacy.hash_key)
    expect(Object.keys(config.sources)).toContain('main')
  })

  it('notices a misspelt setting', () => {
    const [first] = own
    const environment = environmentOf(first?.[1] ?? { environment: {} })
    expect(() => loadConfig({ ...environment, KEYWATCH_WAREHOUSE__PASWORD: 'x' })).toThrow(/pasword/)
  })

  it.each(own.filter(([name]) => name !== 'migrate'))(
    '%s is asked for its health where it listens',
    (name, service) => {
      const listen = service.environment[`KEYWATCH_${name.toUpperCase()}__ADMIN_LISTEN`]
      expect(listen).toMatch(/^127\.0\.0\.1:\d+$/)
      expect(service.healthcheck.test?.at(-1)).toContain(`http://${listen}/readyz`)
      expect(service.depends_on).toMatchObject({
        kafka: { condition: 'service_healthy' },
        migrate: { condition: 'service_completed_successfully' },
      })
    },
  )
})

describe('docker/make-secrets.sh', () => {
  it('makes every secret, for the owner of the folder only, and never overwrites one', async () => {
    const files = Object.values(compose.secrets).map(({ file }) => join(folder, file))
    const before = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    await run('sh', [join(folder, 'docker/make-secrets.sh')])
    const after = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    expect(after).toEqual(before)
    expect(new Set(before).size).toBe(files.length)
    for (const secret of before) expect(secret).toMatch(/^[0-9a-f]{64}\n$/)
    expect((await stat(join(folder, 'secrets'))).mode & 0o777).toBe(0o700)
  })
})

/** The person who installs makes the secrets with our script and keywatch.yaml from its example. */
function whereItComesFrom(mount: string): string {
  const path = mount.slice('./'.length)
  if (path === 'keywatch.yaml') return `${REPOSITORY}keywatch.example.yaml`
  return path.startsWith('secrets/') ? join(folder, path) : `${REPOSITORY}${path}`
}

/** The container's environment with its mounts where they are on this machine. */
function environmentOf(service: { readonly environment: Readonly<Record<string, string>> }) {
  return Object.fromEntries(
    Object.entries(service.environment).map(([name, value]) => [
      name,
      value
        .replace('/run/secrets/', `${folder}/secrets/`)
        .replace('/etc/keywatch/keywatch.yaml', `${REPOSITORY}keywatch.example.yaml`),
    ]),
  )
}

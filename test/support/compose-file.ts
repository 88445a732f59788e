import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

const mount = z.object({ source: z.string(), target: z.string() })
const service = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  configs: z.array(mount).default([]),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }),
})
export type ComposeService = z.output<typeof service>

const files = z.record(z.string(), z.object({ file: z.string() }))
const composeFile = z.looseObject({
  services: z.record(z.string(), service),
  configs: files,
  secrets: files,
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.object({})),
})
export type ComposeFile = z.output<typeof composeFile>

/** docker-compose.yml with anchors and merge keys resolved and `$$` and `${NAME:?…}` as Compose would fill them in. */
export function readComposeFile(variables: Readonly<Record<string, string>>): ComposeFile {
  return composeFile.parse(readComposeDocument(variables))
}

/** The same, as it stands in the file, for the specification's schema. */
export function readComposeDocument(variables: Readonly<Record<string, string>>): unknown {
  const text = readFileSync(`${REPOSITORY}docker-compose.yml`, 'utf8')
  const document: unknown = parse(text, { merge: true })
  return JSON.parse(JSON.stringify(document), (_key, value: unknown) =>
    typeof value === 'string' ? interpolate(value, variables) : value,
  )
}

/** The services that are built from our Dockerfile, by name. */
export function ownServices(compose: ComposeFile): readonly (readonly [string, ComposeService])[] {
  return Object.entries(compose.services).filter(([, { build }]) => build !== undefined)
}

function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\{(\w+)(?::\?[^}]*)?\}/g, (found, name: string | undefined) => {
    if (name === undefined) return '$'
    const value = variables[name]
    if (value === undefined) throw new Error(`${found} in docker-compose.yml is not set`)
    return value
  })
}

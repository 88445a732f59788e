import { readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { AppError } from '#shared/runtime/app-error.ts'
import { configSchema, type Config } from './config.ts'

const PREFIX = 'KEYWATCH_'
/** The variable that names the configuration file itself. */
const FILE_VARIABLE = 'KEYWATCH_CONFIG'
const DEFAULT_FILE = 'keywatch.yaml'

/** A warning of the parser's would quote the line that it is about. */
const QUIET = { logLevel: 'error' } as const

type Tree = { [name: string]: unknown }

/**
 * Reads `keywatch.yaml` (or the file that `KEYWATCH_CONFIG` names) and lays the environment over it.
 *
 * `KEYWATCH_WAREHOUSE__URL` sets `warehouse.url`: two underscores step into a section, one belongs to a name;
 * a list or a map is written as YAML. With `_FILE` at the end the value is read from that file, as
 * container secrets are. An empty variable counts as not set. All faults are reported at once as the AppError
 * `CONFIG_INVALID`, each with its path and what to do.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return readConfig(env, { verifies: true })
}

/**
 * The same for a command that takes no signed requests: a source may then do without public keys, so that attribution
 * rules can be tried before there is a webhook.
 */
export function loadConfigWithoutKeys(env: NodeJS.ProcessEnv): Config {
  return readConfig(env, { verifies: false })
}

function readConfig(env: NodeJS.ProcessEnv, { verifies }: { readonly verifies: boolean }): Config {
  const named = env[FILE_VARIABLE] === '' ? undefined : env[FILE_VARIABLE]
  const tree = readTree(named ?? DEFAULT_FILE, named !== undefined)
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || variable === FILE_VARIABLE || value === undefined || value === '')
      continue
    overlay(tree, variable, value)
  }
  if (!verifies) fillPublicKeys(tree)
  const parsed = configSchema.safeParse(tree)
  if (!parsed.success) {
    throw invalid(
      `The configuration has faults; correct them in ${named ?? DEFAULT_FILE} or the environment:\n${z.prettifyError(parsed.error)}`,
    )
  }
  return Object.freeze(parsed.data)
}

/** What stands where a source has no public key; it verifies nothing. */
const NO_KEY = 'none'

function fillPublicKeys(tree: Tree) {
  const { sources } = tree
  if (!isTree(sources)) return
  for (const [name, source] of Object.entries(sources)) {
    if (source === null) sources[name] = { public_keys: [NO_KEY] }
    else if (isTree(source)) source['public_keys'] ??= [NO_KEY]
  }
}

function readTree(file: string, required: boolean): Tree {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (!required && error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw invalid(`The configuration file ${file} cannot be read; check its path and permissions.`, error)
  }
  let content: unknown
  try {
    content = parse(text, QUIET)
  } catch (error) {
    throw invalid(`The configuration file ${file} is not YAML: ${yamlFault(error)}; correct it there.`)
  }
  if (content === null || content === undefined) return {}
  if (!isTree(content)) throw invalid(`The configuration file ${file} must be a map of sections.`)
  return content
}

function overlay(tree: Tree, variable: string, value: string) {
  const fromFile = variable.endsWith('_FILE') && !namesFilePath(variable)
  const name = fromFile ? variable.slice(0, -'_FILE'.length) : variable
  const path = name.slice(PREFIX.length).toLowerCase().split('__')
  const last = path.pop()
  if (last === undefined || last === '' || path.includes('')) {
    throw invalid(`${variable} names no setting; write KEYWATCH_SECTION__NAME.`)
  }
  let section = tree
  for (const step of path) {
    const next = Object.hasOwn(section, step) ? section[step] : undefined
    if (isTree(next)) {
      section = next
    } else {
      const made: Tree = {}
      section[step] = made
      section = made
    }
  }
  section[last] = fromFile ? readSecret(variable, value) : asYaml(variable, value)
}

/** `certificate_file`, `key_file` and `ca_file` are settings themselves, not secrets to be read. */
function namesFilePath(variable: string): boolean {
  return /__TLS__(CERTIFICATE|KEY|CA)_FILE$/.test(variable)
}

function readSecret(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw invalid(`${variable} names a file that cannot be read; check its path and permissions.`, error)
  }
}

/** Only lists and maps are read as YAML; all else is text, which the schema turns into a number where it wants one. */
function asYaml(variable: string, value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value
  try {
    return parse(value, QUIET)
  } catch (error) {
    throw invalid(
      `${variable} begins like a list or a map but is not YAML: ${yamlFault(error)}; correct it, or let ${variable}_FILE name a file that holds the text.`,
    )
  }
}

/** Kind and place of a fault. The parser's own message, and its error as a cause, quote the line, which may hold a secret. */
function yamlFault(error: unknown): string {
  if (!(error instanceof YAMLParseError)) return 'it cannot be read'
  const place = error.linePos?.[0]
  const kind = error.code.toLowerCase().replaceAll('_', ' ')
  return place === undefined ? kind : `${kind} at line ${place.line}, column ${place.col}`
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(message: string, cause?: unknown): AppError {
  return new AppError('CONFIG_INVALID', message, { cause, retriable: false })
}

import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from './eventually.ts'

const run = promisify(execFile)
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const LIBRARIES = `${REPOSITORY}.cache/kafka-libs`
const LOCK = `${LIBRARIES}.lock`
const DOWNLOAD_TIMEOUT_MS = 300_000

/**
 * The directory of Kafka's jars, fetched with Maven by test/pom.xml the first time. Only one process fetches;
 * the others wait for it. They appear under their final name only when all of them are there.
 */
export async function kafkaLibraries(): Promise<string> {
  await mkdir(`${REPOSITORY}.cache`, { recursive: true })
  await eventually(async () => (await exists(LIBRARIES)) || fetchAlone(), {
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    what: `the jars of test/pom.xml (if no other test run is fetching them, remove ${LOCK})`,
  })
  return LIBRARIES
}

/** False if another process is fetching them. */
async function fetchAlone(): Promise<boolean> {
  try {
    await mkdir(LOCK)
  } catch {
    return false
  }
  try {
    const part = `${LIBRARIES}.${process.pid}`
    await run(
      'mvn',
      [
        '-q',
        '-B',
        '-f',
        `${REPOSITORY}test/pom.xml`,
        'dependency:copy-dependencies',
        `-DoutputDirectory=${part}`,
      ],
      { timeout: DOWNLOAD_TIMEOUT_MS },
    )
    await rename(part, LIBRARIES)
    return true
  } finally {
    await rm(LOCK, { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

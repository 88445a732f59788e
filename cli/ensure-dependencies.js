// Installs the locked dependencies when node_modules is missing or older than package-lock.json, and says so.
// Plain JavaScript without dependencies: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'node_modules', '.keywatch-lock-sha256')
const MINIMUM_NODE = [20, 19, 0]

const version = process.versions.node.split('.').map(Number)
const older = MINIMUM_NODE.findIndex((part, index) => version[index] !== part)
if (older !== -1 && version[older] < MINIMUM_NODE[older]) {
  process.stderr.write(
    `Keywatch needs Node ${MINIMUM_NODE.join('.')} or newer; this is ${process.versions.node}.\n`,
  )
  process.exit(1)
}

const lockFile = join(root, 'package-lock.json')
const locked = createHash('sha256').update(readFileSync(lockFile)).digest('hex')
if (!isInstalled()) {
  const why = existsSync(join(root, 'node_modules'))
    ? 'node_modules is out of date'
    : 'node_modules is missing'
  process.stdout.write(`${why}: installing the locked dependencies (npm ci, about a minute, once) …\n`)
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const result = spawnSync(command, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (result.status !== 0) {
    process.stderr.write('npm ci failed; its message is above. Keywatch needs the npm registry once.\n')
    process.exit(1)
  }
  writeFileSync(stamp, locked)
  process.stdout.write('Dependencies installed.\n')
}

/** Installed by this script from this very lock file, or by npm itself after the lock file last changed. */
function isInstalled() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === locked) return true
  const written = join(root, 'node_modules', '.package-lock.json')
  return existsSync(written) && statSync(written).mtimeMs >= statSync(lockFile).mtimeMs
}

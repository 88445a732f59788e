import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the range from which systems take the local ports of outgoing connections (32768 on Linux, 49152 elsewhere):
 * a port from there could be taken again between this call and the moment the service listens.
 */
const LOWEST_PORT = 15_000
const HIGHEST_PORT = 32_000
const TRIES_MAX = 100

/**
 * A TCP port of 127.0.0.1 that nothing uses at the moment of the call. Chosen at random, so that test files that run
 * at the same time rarely ask for the same one.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port of 127.0.0.1 between ${LOWEST_PORT} and ${HIGHEST_PORT}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => {
      server.close(() => resolve(true))
    })
  })
}

import { createServer } from 'node:net'
import type { ListenAddress } from '#shared/http/listen.ts'

/** `host:port`, with brackets around an IPv6 host, as the configuration takes it. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The address itself when nothing listens there, else the same host with a free port. */
export async function freeAddress(preferred: ListenAddress): Promise<ListenAddress> {
  return (await tryPort(preferred)) ?? (await tryPort({ ...preferred, port: 0 })) ?? preferred
}

function tryPort(address: ListenAddress): Promise<ListenAddress | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(undefined))
    probe.listen(address.port, address.host, () => {
      const bound = probe.address()
      const port = bound !== null && typeof bound === 'object' ? bound.port : address.port
      probe.close(() => resolve({ host: address.host, port }))
    })
  })
}

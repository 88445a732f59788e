import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'

/** Where a server listens. Port 0 asks the operating system for a free one. */
export type ListenAddress = { readonly host: string; readonly port: number }

/**
 * Listens, and resolves with the actual port. `stop` refuses new connections, closes idle ones and waits
 * for the requests in flight.
 */
export async function listen(
  server: HttpServer | HttpsServer,
  address: ListenAddress,
): Promise<{ readonly port: number; readonly stop: Stop }> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error) =>
      reject(
        new AppError(
          'SERVICE_FAILED',
          `cannot listen on ${address.host}:${address.port} (${error.message}); choose another address or stop what uses it`,
          { cause: error, retriable: false },
        ),
      )
    server.once('error', onError)
    server.listen(address.port, address.host, () => {
      server.off('error', onError)
      resolve()
    })
  })
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port
  server.on('request', (_request, response) => {
    response.once('finish', () => {
      // A connection that falls idle after close() would otherwise be kept until its keep-alive time-out.
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  })
  let stopping: Promise<void> | undefined
  const stop = () =>
    (stopping ??= new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeIdleConnections()
    }))
  return { port, stop }
}

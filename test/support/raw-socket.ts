import { connect, type Socket } from 'node:net'

/** A TCP connection to 127.0.0.1 for bytes that no HTTP client would send. */
export type RawSocket = {
  readonly socket: Socket
  readonly send: (data: string | Uint8Array) => void
  /** Everything received so far. */
  readonly received: () => string
  /** Resolves with everything received once the other side has closed. */
  readonly closed: Promise<string>
}

export async function openRawSocket(port: number): Promise<RawSocket> {
  const socket = connect({ host: '127.0.0.1', port })
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(text))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  // A reset is one of the ways to be refused; what counts is what was received before it.
  socket.on('error', () => undefined)
  return { socket, send: (data) => socket.write(data), received: () => text, closed }
}

/** The status codes of the answers in a stream of HTTP/1.1 responses, in order. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
}

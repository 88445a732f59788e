import type { IncomingMessage } from 'node:http'
import type { ByteLease } from './byte-budget.ts'

export type BodyOutcome =
  | { readonly kind: 'read'; readonly body: Buffer }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'busy' }
  /** The client went away; there is nobody to answer. */
  | { readonly kind: 'aborted' }

/**
 * Reads the body as the bytes that were sent: the signature covers those, and any parsing or decoding on the
 * way would break it. Stops at `limitBytes`, or when the budget has no room, or needs
 * the room for others; what still comes is the caller's to drop.
 */
export function readBody(
  request: IncomingMessage,
  options: { readonly limitBytes: number; readonly lease: ByteLease },
): Promise<BodyOutcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let received = 0
    const finish = (outcome: BodyOutcome) => {
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('error', onAbort)
      request.off('close', onAbort)
      // A socket error after this point concerns a request that is already decided.
      request.on('error', ignore)
      options.lease.hold()
      resolve(outcome)
    }
    const onData = (chunk: Buffer) => {
      received += chunk.length
      if (received > options.limitBytes) finish({ kind: 'too_large' })
      else if (!options.lease.reserve(received)) finish({ kind: 'busy' })
      else chunks.push(chunk)
    }
    const onEnd = () => {
      const [first] = chunks
      finish({
        kind: 'read',
        body: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks),
      })
    }
    const onAbort = () => finish({ kind: 'aborted' })
    options.lease.whileArriving(() => finish({ kind: 'busy' }))
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('error', onAbort)
    request.on('close', onAbort)
  })
}

function ignore() {
  // Nothing is left to do for the request.
}

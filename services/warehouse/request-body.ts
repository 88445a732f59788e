import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { exception } from './clickhouse-error.ts'

/** Encodings that the engine can undo itself, with the engine's name for each. */
const ENGINE_COMPRESSION = new Map([
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
  ['lz4', 'lz4'],
  ['xz', 'xz'],
  ['bz2', 'bz2'],
])

/** The engine's name of the body's compression, `none` for a plain body; refuses what it does not know. */
export function bodyCompression(request: IncomingMessage): string {
  const encoding = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (encoding === '' || encoding === 'identity') return 'none'
  const compression = ENGINE_COMPRESSION.get(encoding)
  if (compression === undefined) throw exception(48, `Unknown Content-Encoding: ${JSON.stringify(encoding)}`)
  return compression
}

/** The body as it was before compression; for encodings that Node undoes on every supported version. */
export function decodedBody(request: IncomingMessage, compression: string): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return readChunks(request)
    case 'gzip':
      return decode(request, createGunzip())
    case 'deflate':
      return decode(request, createInflate())
    case 'br':
      return decode(request, createBrotliDecompress())
    default:
      throw exception(
        48,
        `A body compressed with ${compression} must hold data alone: send the INSERT statement as the URL parameter "query"`,
      )
  }
}

/** The first bytes of a stream, up to a limit, and what comes after them. */
export type Head = {
  readonly head: Buffer
  readonly rest: AsyncIterable<Uint8Array>
  /** False when more may follow in `rest`. */
  readonly complete: boolean
}

/** Takes chunks until the stream ends or `limitBytes` are there. */
export async function readHead(chunks: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Head> {
  const iterator = chunks[Symbol.asyncIterator]()
  const taken: Uint8Array[] = []
  let bytes = 0
  while (bytes < limitBytes) {
    const next = await iterator.next()
    if (next.done === true) return { head: Buffer.concat(taken), rest: none(), complete: true }
    taken.push(next.value)
    bytes += next.value.length
  }
  return {
    head: Buffer.concat(taken),
    rest: { [Symbol.asyncIterator]: () => iterator },
    complete: false,
  }
}

/** One stream after some bytes that were already taken from it. */
export async function* after(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first
  yield* rest
}

async function* none(): AsyncGenerator<Uint8Array> {}

async function* decode(request: IncomingMessage, decoder: Readable & NodeJS.WritableStream) {
  request.on('error', (error) => decoder.destroy(error))
  request.pipe(decoder)
  try {
    yield* readChunks(decoder)
  } catch (error) {
    if (request.errored) throw error
    throw exception(354, `The body cannot be decompressed: ${error instanceof Error ? error.message : ''}`)
  }
}

async function* readChunks(stream: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    if (chunk instanceof Uint8Array) yield chunk
  }
}

import { isAscii } from 'node:buffer'
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { AppError } from '#shared/runtime/app-error.ts'

/** Some lines of a file that follow each other. */
export type LineBlock = {
  /** Without their line ends. A line that is too long is one NUL, which is no JSON. */
  readonly lines: readonly string[]
  /** Number of the first one, from 1. */
  readonly firstLine: number
  /** Bytes of the file that have been read so far, compressed where it is compressed. */
  readonly bytesRead: number
  /** What keeps the rest of the file from being read; the last block has it. */
  readonly fault?: string
}

/** Small enough that a line with other letters than ASCII's slows down few lines beside it. */
const CHUNK_BYTES = 128 * 1024
/** Far more than an event can have; the bound keeps a file without line ends out of the memory. */
const LINE_BYTES_MAX = 8 * 1024 * 1024
const TOO_LONG = '\0'
const NEW_LINE = 0x0a
const GZIP_MAGIC = 0x1f8b

/** Bytes of a file on the disk, 0 for a pipe. Throws the AppError `FILE_UNREADABLE`. */
export function fileBytes(file: string): number {
  try {
    return statSync(file).size
  } catch (error) {
    throw unreadable(file, error)
  }
}

/**
 * Reads a text file block by block, uncompressed or gzip (told by its first bytes). Throws the AppError
 * `FILE_UNREADABLE` where it cannot be opened; what breaks later ends the blocks with a `fault`, and what was read
 * until then stays good.
 */
export async function* readLines(file: string): AsyncGenerator<LineBlock, void, void> {
  const packed = isGzip(file)
  const raw = createReadStream(file, { highWaterMark: CHUNK_BYTES })
  const source = packed ? raw.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : raw
  raw.once('error', (error) => source.destroy(error))
  const splitter = new LineSplitter()
  let firstLine = 1
  let fault: string | undefined
  try {
    for await (const chunk of source) {
      if (!Buffer.isBuffer(chunk)) continue
      const lines = splitter.take(chunk)
      if (lines.length === 0) continue
      yield { lines, firstLine, bytesRead: raw.bytesRead }
      firstLine += lines.length
    }
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error)
  } finally {
    raw.destroy()
  }
  const lines = splitter.end()
  if (lines.length > 0 || fault !== undefined) {
    yield { lines, firstLine, bytesRead: raw.bytesRead, ...(fault === undefined ? {} : { fault }) }
  }
}

function isGzip(file: string): boolean {
  try {
    // Looking at a pipe would take its first bytes away.
    if (!statSync(file).isFile()) return file.endsWith('.gz')
    const descriptor = openSync(file, 'r')
    try {
      const start = Buffer.alloc(2)
      return readSync(descriptor, start, 0, 2, 0) === 2 && start.readUInt16BE() === GZIP_MAGIC
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** Cuts a stream of bytes at line ends; only whole lines are decoded, so no character is cut in two. */
class LineSplitter {
  #carried: Buffer[] = []
  #carriedBytes = 0
  #isTooLong = false

  take(chunk: Buffer): string[] {
    const last = chunk.lastIndexOf(NEW_LINE)
    if (last === -1) {
      this.#carry(chunk)
      return []
    }
    const lines = this.#decode(chunk.subarray(0, last)).split('\n')
    if (this.#isTooLong) lines[0] = TOO_LONG
    this.#carried = []
    this.#carriedBytes = 0
    this.#isTooLong = false
    if (last + 1 < chunk.length) this.#carry(chunk.subarray(last + 1))
    return lines
  }

  /** What is left when the stream has ended. */
  end(): string[] {
    if (this.#carriedBytes === 0 && !this.#isTooLong) return []
    return [this.#isTooLong ? TOO_LONG : this.#decode(Buffer.alloc(0))]
  }

  #carry(bytes: Buffer) {
    if (this.#carriedBytes + bytes.length > LINE_BYTES_MAX) {
      this.#isTooLong = true
      this.#carried = []
      this.#carriedBytes = 0
    }
    if (this.#isTooLong) return
    this.#carried.push(bytes)
    this.#carriedBytes += bytes.length
  }

  #decode(bytes: Buffer): string {
    const whole = this.#carried.length === 0 ? bytes : Buffer.concat([...this.#carried, bytes])
    // Nearly all of an event is ASCII, and text that is known to be takes half the time to decode.
    return whole.toString(isAscii(whole) ? 'latin1' : 'utf8')
  }
}

function unreadable(file: string, error: unknown): AppError {
  return new AppError('FILE_UNREADABLE', `${file} cannot be read; check its path and permissions`, {
    cause: error,
    retriable: false,
  })
}

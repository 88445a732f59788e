import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliCompress, createDeflate, createGzip, constants } from 'node:zlib'
import { errorBody, httpStatus, type ClickHouseException } from './clickhouse-error.ts'
import { contentType } from './formats.ts'
import type { QueryRequest } from './query-request.ts'
import type { QueryAnswer } from './run-query.ts'

/** Up to here an answer is sent at once; a stream costs more than it saves. */
const SMALL_BYTES = 256 * 1024
/** ClickHouse's own default of http_zlib_compression_level. */
const COMPRESSION_LEVEL = 3

/** Sends a result; the file that holds it is left to the caller. */
export async function sendAnswer(
  response: ServerResponse,
  answer: QueryAnswer,
  encoding: QueryRequest['answerEncoding'],
): Promise<void> {
  response.statusCode = 200
  response.setHeader('content-type', contentType(answer.format))
  response.setHeader('x-clickhouse-format', answer.format)
  response.setHeader('x-clickhouse-summary', JSON.stringify(answer.summary))
  const bytes = answer.file === undefined ? answer.bytes.length : (await stat(answer.file)).size
  if (encoding === undefined) response.setHeader('content-length', bytes)
  else response.setHeader('content-encoding', encoding)

  if (bytes <= SMALL_BYTES && encoding === undefined) {
    response.end(answer.file === undefined ? answer.bytes : await readFile(answer.file))
    return
  }
  const source = answer.file === undefined ? Readable.from([answer.bytes]) : createReadStream(answer.file)
  if (encoding === undefined) await pipeline(source, response)
  else await pipeline(source, compressor(encoding), response)
}

/** Sends an error as a ClickHouse server does. Once the answer has begun, all that is left is to cut it off. */
export function sendError(
  response: ServerResponse,
  error: ClickHouseException,
  version: string,
  status: number = httpStatus(error),
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const name of ['content-length', 'content-encoding', 'x-clickhouse-format', 'x-clickhouse-summary']) {
    response.removeHeader(name)
  }
  const body = errorBody(error, version)
  response.writeHead(status, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-clickhouse-exception-code': String(error.code),
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

function compressor(encoding: 'gzip' | 'deflate' | 'br'): Duplex {
  switch (encoding) {
    case 'gzip':
      return createGzip({ level: COMPRESSION_LEVEL })
    case 'deflate':
      return createDeflate({ level: COMPRESSION_LEVEL })
    case 'br':
      return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: COMPRESSION_LEVEL } })
    default:
      return encoding satisfies never
  }
}

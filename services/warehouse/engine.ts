import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { drainPending, Session } from 'chdb'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import { fromEngineError } from './clickhouse-error.ts'
import type { QuerySlots } from './query-slots.ts'
import { quoteString, scopeStatements, type RequestScope } from './session-settings.ts'

/**
 * What every connection starts with. Asynchronous inserts would answer before the data is stored, and are on by
 * default in this engine; the time zone must not depend on the machine's; a file that carries an insert's data is
 * read, not mapped into memory, where all of it would count as this process's; and a misspelt statement is an
 * error, as on a server, not an expression to be selected.
 */
const CONNECTION_ARGUMENTS = [
  '--async_insert=0',
  '--session_timezone=UTC',
  '--storage_file_read_method=pread',
  '--implicit_select=0',
]
const KILL_INTERVAL_MS = 100

export type EngineResult = {
  readonly bytes: Uint8Array
  /** Rows of the result; for inserts of data the rows that were read and written. */
  readonly rows: number
  readonly rowBytes: number
  readonly elapsedSeconds: number
}

export type EngineRequest = {
  readonly sql: string
  readonly format: string
  readonly kind: 'read' | 'write'
  readonly scope: RequestScope
  /** Takes a waiting statement out of the queue, and stops a running one if it only reads. */
  readonly signal?: AbortSignal
}

export type Engine = {
  readonly version: string
  readonly displayName: string
  readonly timezone: string
  /** Runs one statement; rejects with ClickHouse's error as a ClickHouseException. */
  readonly run: (request: EngineRequest) => Promise<EngineResult>
  /** Waits for what still runs, then releases the directory. */
  readonly stop: Stop
}

/**
 * Opens the engine on its directory, which belongs to one process at a time; AppError `SERVICE_FAILED` when
 * another has it.
 *
 * Every statement gets a connection of its own. The engine keeps a setting for as long as the connection that
 * it came with, and a deduplication token that stayed behind would drop the next insert. Opening one costs
 * 0.1 ms (chDB 3.4.0, measured 2026-11). Statements run on libuv's threads and never block the event loop.
 */
export async function openEngine(directory: string, slots: QuerySlots): Promise<Engine> {
  const control = openControl(directory)
  const identity = await control.queryAsync('SELECT version(), displayName(), timezone()', {
    format: 'TabSeparated',
  })
  const [version = '', displayName = '', timezone = ''] = identity.text().trim().split('\t')

  const run = async (request: EngineRequest): Promise<EngineResult> => {
    const giveBack = await slots.take(request.kind, request.signal)
    try {
      return await runOnOwnConnection(directory, control, request)
    } catch (error) {
      throw request.signal?.aborted === true ? error : fromEngineError(error)
    } finally {
      giveBack()
    }
  }

  let stopping: Promise<void> | undefined
  const stop = () =>
    (stopping ??= (async () => {
      await drainPending()
      control.close()
      await drainPending()
    })())
  return { version, displayName, timezone, run, stop }
}

function openControl(directory: string): Session {
  try {
    return new Session(directory, { connectionArgs: CONNECTION_ARGUMENTS })
  } catch (error) {
    throw new AppError(
      'SERVICE_FAILED',
      `the warehouse's directory ${directory} cannot be opened; another process has it open (end that one first), or this user may not write there`,
      { cause: error, retriable: false },
    )
  }
}

async function runOnOwnConnection(
  directory: string,
  control: Session,
  request: EngineRequest,
): Promise<EngineResult> {
  const marker = request.kind === 'read' && request.signal !== undefined ? randomUUID() : undefined
  const connection = new Session(directory, { connectionArgs: CONNECTION_ARGUMENTS })
  try {
    const preparation = scopeStatements(withMarker(request.scope, marker))
    if (preparation.length > 0) await connection.queryAsync(preparation.join(';\n'))
    request.signal?.throwIfAborted()
    const running = connection.queryAsync(request.sql, { format: request.format })
    const result = await (marker === undefined || request.signal === undefined
      ? running
      : stopOnAbort(running, control, marker, request.signal))
    return {
      bytes: result.bytes(),
      rows: result.rowsRead,
      rowBytes: result.bytesRead,
      elapsedSeconds: result.elapsed,
    }
  } finally {
    connection.close()
  }
}

/** The engine gives a statement's id to nobody, so a statement that may have to be stopped is found by its comment. */
function withMarker(scope: RequestScope, marker: string | undefined): RequestScope {
  if (marker === undefined) return scope
  const comment = scope.settings.get('log_comment')
  const settings = new Map(scope.settings)
  // The comment comes before `readonly`, which may be among the settings.
  settings.delete('log_comment')
  return {
    ...scope,
    settings: new Map([
      ['log_comment', comment === undefined ? marker : `${comment} ${marker}`],
      ...settings,
    ]),
  }
}

async function stopOnAbort<Result>(
  running: Promise<Result>,
  control: Session,
  marker: string,
  signal: AbortSignal,
): Promise<Result> {
  let settled = false
  const kill = async () => {
    // Between the call and its registration the statement cannot be found yet, hence the repetition.
    while (!settled) {
      await control.queryAsync(
        `KILL QUERY WHERE endsWith(Settings['log_comment'], ${quoteString(marker)}) ASYNC`,
      )
      await wait(KILL_INTERVAL_MS)
    }
  }
  const onAbort = () => {
    // A failure to kill leaves the statement running to its end, which is what would happen without it.
    kill().catch(() => undefined)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await running
  } finally {
    settled = true
    signal.removeEventListener('abort', onAbort)
  }
}

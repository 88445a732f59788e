import type { Logger } from 'pino'
import type { Stop } from './lifecycle.ts'

/** Reports that a running part can no longer do its work; the process stops and exits with status 1. */
export type Fail = (error: unknown) => void

/**
 * Runs one service until SIGTERM, SIGINT or a failure, then stops it within `stopDeadlineMs`.
 *
 * The signal handlers are in place before `start` runs, so that a signal during start-up is not lost.
 * Exit status: 0 after a signal and a clean stop; 1 after a failure, an unclean stop or a missed deadline.
 */
export async function runService(
  start: (fail: Fail) => Promise<Stop>,
  options: { readonly log: Logger; readonly stopDeadlineMs: number },
): Promise<void> {
  const { log, stopDeadlineMs } = options
  // What a service writes holds addresses: whatever the directory it is given, nobody else may read the files in it.
  process.umask(0o077)
  let stop: Stop | undefined
  let starting: Promise<void> = Promise.resolve()
  const { reason, error } = await new Promise<{ reason: string; error?: unknown }>((end) => {
    const fail = (failure: unknown) => end({ reason: 'failure', error: failure })
    process.once('SIGTERM', (signal) => end({ reason: signal }))
    process.once('SIGINT', (signal) => end({ reason: signal }))
    endWithSupervisor(() => end({ reason: 'the supervisor is gone' }))
    starting = start(fail).then((started) => {
      stop = started
      log.info('started')
    }, fail)
  })
  if (error === undefined) log.info({ reason }, 'stopping')
  else log.fatal({ err: error }, 'failed, stopping')

  const deadline = setTimeout(() => {
    log.fatal({ stopDeadlineMs }, 'did not stop in time')
    process.exit(1)
  }, stopDeadlineMs)
  await starting
  try {
    await stop?.()
    log.info('stopped')
  } catch (stopError) {
    log.error({ err: stopError }, 'did not stop cleanly')
    process.exitCode = 1
  }
  clearTimeout(deadline)
  if (error !== undefined) process.exitCode = 1
  // A library's forgotten timer or socket must not keep a stopped process alive past its deadline.
  setTimeout(() => process.exit(), stopDeadlineMs).unref()
}

/** A supervisor that was killed cannot stop its services; they notice by the closed channel and stop themselves. */
function endWithSupervisor(end: () => void) {
  if (!process.connected) return
  process.once('disconnect', end)
  process.channel?.unref()
}

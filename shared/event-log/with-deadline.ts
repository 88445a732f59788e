/** The work had not settled in time. It was not stopped, and may still succeed. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/** Settles as `work` does, or rejects with a `DeadlineError` when it has not settled after `timeoutMs`. */
export async function withDeadline<Answer>(work: Promise<Answer>, timeoutMs: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`not done within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

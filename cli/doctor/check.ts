/** What one check found. `advice` says what to do next; it is there whenever `outcome` is not `ok`. */
export type CheckResult = {
  readonly name: string
  readonly outcome: 'ok' | 'warning' | 'failed'
  readonly found: string
  readonly advice?: string
}

/** Something that can be checked before the first event arrives. */
export type Check = { readonly name: string; readonly run: () => Promise<Omit<CheckResult, 'name'>> }

/** Runs the checks one after the other; a check that throws has failed, and the others still run. */
export async function runChecks(checks: readonly Check[]): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const { name, run } of checks) {
    try {
      results.push({ name, ...(await run()) })
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error)
      results.push({
        name,
        outcome: 'failed',
        found,
        advice: 'Correct what the message names and run the check again.',
      })
    }
  }
  return results
}

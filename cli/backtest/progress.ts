import { SingleBar } from 'cli-progress'

/** A bar on the terminal, where there is one; it never writes to the standard output. */
export type Progress = {
  /** `fraction` of 0 to 1; `note` stands beside the bar. */
  readonly show: (fraction: number, note: string) => void
  readonly stop: () => void
}

/** The bar moves in thousandths. */
const TOTAL = 1000

/** `quiet` shows nothing at all. */
export function createProgress(title: string, quiet: boolean): Progress {
  if (quiet || !process.stderr.isTTY) return { show: () => undefined, stop: () => undefined }
  const bar = new SingleBar({ format: `${title} [{bar}] {percentage}% | {note} | {duration} s` })
  bar.start(TOTAL, 0, { note: '' })
  return {
    show: (fraction, note) => bar.update(Math.floor(Math.min(1, Math.max(0, fraction)) * TOTAL), { note }),
    stop: () => bar.stop(),
  }
}

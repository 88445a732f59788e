import { appendFile } from 'node:fs/promises'
import type { ScenarioLabel } from './scenarios/scenario-label.ts'

/** Adds labels to a file of one JSON object per line. */
export async function appendLabels(file: string, labels: readonly ScenarioLabel[]): Promise<void> {
  await appendFile(file, labels.map((label) => `${JSON.stringify(label)}\n`).join(''))
}

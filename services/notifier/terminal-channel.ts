import type { Writable } from 'node:stream'
import type { Severity } from '#shared/domain/alert.ts'
import { describeAlert } from '#shared/domain/alert-text.ts'
import type { Channel, Notification } from './channel.ts'

const BOLD = '1'
const DIM = '2'
const GREEN = '32'
const COLOURS = { info: '36', warning: '33', critical: '31' } as const satisfies Record<Severity, string>

/** Tells whoever looks at the terminal (or at the container's log), as a block of text on `output`. */
export function createTerminalChannel(output: Writable, coloured: boolean): Channel {
  // A reader that went away (`keywatch … | head`) must end a try, not the process.
  const ignore = () => undefined
  output.on('error', ignore)
  return {
    send: (notification) =>
      new Promise((resolve) => {
        output.write(terminalBlock(notification, coloured), (error) => {
          if (error === null || error === undefined) resolve({ kind: 'accepted' })
          else resolve({ kind: 'unavailable', reason: error.message })
        })
      }),
    close: async () => {
      output.off('error', ignore)
    },
  }
}

/**
 * The alert as a block of lines. Every text from outside has been made visible by describeAlert; the only
 * control characters are our own line ends, and our own colours if `coloured`.
 */
export function terminalBlock({ alert, change }: Notification, coloured: boolean): string {
  const paint = (code: string, text: string) => (coloured ? `\u001B[${code}m${text}\u001B[0m` : text)
  const text = describeAlert(alert, change)
  const heading = (title: string) => `  ${paint(BOLD, title)}`
  const labelWidth = Math.max(...text.facts.map(({ label }) => label.length)) + 2
  const lines = [
    '',
    paint(`${BOLD};${change === 'resolved' ? GREEN : COLOURS[alert.severity]}`, `=== ${text.title} ===`),
    `  ${text.sentence}`,
    ...text.facts.map((fact) => `  ${paint(DIM, fact.label.padEnd(labelWidth))}${fact.text}`),
  ]
  if (text.evidence.length > 0) {
    lines.push(heading('Evidence'), ...text.evidence.map((line) => `    - ${line}`))
  }
  if (text.nextSteps.length > 0) {
    lines.push(
      heading('What to do next'),
      ...text.nextSteps.map((step, index) => `    ${index + 1}. ${step}`),
    )
  }
  lines.push(...text.references.map(({ label, text: url }) => `  ${paint(DIM, `${label}:`)} ${url}`), '', '')
  return lines.join('\n')
}

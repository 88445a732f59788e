import { pino, type Logger } from 'pino'

/**
 * The structured log of one service, on standard output.
 *
 * Nothing that identifies a recipient and no secret is ever logged; the redaction is the net below that rule.
 */
export function createLogger(service: string, level: string): Logger {
  return pino({
    name: service,
    level,
    base: { service, pid: process.pid },
    redact: {
      paths: [
        '*.email',
        '*.password',
        '*.authorization',
        '*.secret',
        '*.url',
        '*.signature',
        'email',
        'password',
      ],
      censor: '[redacted]',
    },
  })
}

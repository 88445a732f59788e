import type { EngineEvent } from '#shared/detection/engine-input.ts'

/** When the messages of labelled attacks went out. */
export type MessageTimes = {
  readonly add: (messageId: string, event: Pick<EngineEvent, 'timestamp'>) => void
  /** Event time of the message's first event, seconds; undefined where none came. */
  readonly timeOf: (messageId: string) => number | undefined
}

/**
 * Notes the first event time of these messages: a message has left by its first event, whichever that is. SendGrid
 * adds `.filter…` to a message's id for each of its recipients; a label may leave that out.
 */
export function createMessageTimes(messageIds: Iterable<string>): MessageTimes {
  const times = new Map<string, number>()
  for (const id of messageIds) times.set(id, Number.POSITIVE_INFINITY)
  return {
    add: (messageId, { timestamp }) => {
      const id = times.has(messageId) ? messageId : bareId(messageId)
      const known = times.get(id)
      if (known !== undefined && timestamp < known) times.set(id, timestamp)
    },
    timeOf: (messageId) => {
      const time = times.get(messageId)
      return time === undefined || time === Number.POSITIVE_INFINITY ? undefined : time
    },
  }
}

function bareId(messageId: string): string {
  const dot = messageId.indexOf('.')
  return dot === -1 ? messageId : messageId.slice(0, dot)
}

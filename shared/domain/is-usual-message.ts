import { attributionSchema, type EventMessage } from './log-message.ts'

const rules: ReadonlySet<unknown> = new Set(attributionSchema.shape.rule.options)
/** Deep enough for what SendGrid nests (`pool`, `newsletter`, lists of categories); what is deeper is not usual. */
const DEPTH_MAX = 2

/**
 * Whether a value that JSON.parse made is a message in the form that ingest writes.
 *
 * The quick half of `eventMessageSchema`, for the detector, where the schema costs more than all the rest of reading
 * a message: it says yes only where the schema would accept the value and keep every field that EventMessage names
 * (a property test holds it to that), and no whenever that would take a closer look.
 */
export function isUsualMessage(value: unknown): value is EventMessage {
  if (!isObject(value)) return false
  const { attribution, normalised, event } = value
  return (
    value['v'] === 1 &&
    isName(value['key']) &&
    isName(value['source']) &&
    isWhole(value['received_at']) &&
    value['received_at'] >= 0 &&
    isObject(attribution) &&
    rules.has(attribution['rule']) &&
    (attribution['detail'] === undefined || typeof attribution['detail'] === 'string') &&
    (normalised === undefined || (Array.isArray(normalised) && normalised.every(isText))) &&
    isObject(event) &&
    isName(event['event']) &&
    isName(event['sg_event_id']) &&
    isWhole(event['timestamp']) &&
    hasUsualMembers(event, DEPTH_MAX)
  )
}

/** JSON.parse makes infinities of numbers that are too large, and a member of `__proto__`; the schema takes neither. */
function hasUsualMembers(object: Readonly<Record<string, unknown>>, depth: number): boolean {
  for (const name in object) {
    if (name === '__proto__' || !isUsualJson(object[name], depth)) return false
  }
  return true
}

function isUsualJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (depth === 0) return false
  if (Array.isArray(value)) return value.every((item) => isUsualJson(item, depth - 1))
  return isObject(value) && hasUsualMembers(value, depth - 1)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

import {
  CATEGORIES_MAX,
  CATEGORY_UNITS_MAX,
  FIELDS_MAX,
  NAME_MAX,
  type FieldKind,
  type Json,
} from './event-shape.ts'
import { cutText, normaliseText } from './normalise-text.ts'

/** Collects whether anything had to be changed on the way through a value. */
export type Changes = { changed: boolean }

export function isRecord(value: unknown): value is { [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The value of one known field as its kind asks for. What cannot be understood becomes null (or text, where text is
 * asked for), never an error: one odd value must not cost the event.
 */
export function normaliseField(kind: FieldKind, value: unknown, changes: Changes): Json {
  if (value === null) return null
  switch (kind) {
    case 'text':
      return toText(value, changes)
    case 'integer':
      return toInteger(value, changes)
    case 'number_text':
      return typeof value === 'string' ? toText(value, changes) : toInteger(value, changes)
    case 'flag':
      return toFlag(value, changes)
    case 'category':
      return toCategory(value, changes)
    case 'event':
    case 'id':
    case 'timestamp':
    case 'nested':
      return normaliseValue(value, changes)
    default:
      return kind satisfies never
  }
}

/** Any JSON value, deep. Objects are copied without a prototype, so that `__proto__` is a name like any other. */
export function normaliseValue(value: unknown, changes: Changes): Json {
  if (typeof value === 'string') return noting(value, normaliseText(value), changes)
  if (typeof value === 'number') return noting(value, normaliseNumber(value), changes)
  if (typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map((item: unknown) => normaliseValue(item, changes))
  return isRecord(value) ? normaliseMembers(value, changes) : null
}

function normaliseMembers(value: { readonly [name: string]: unknown }, changes: Changes): Json {
  const copy: { [name: string]: Json } = Object.create(null)
  let members = 0
  for (const [name, member] of Object.entries(value)) {
    const kept = noting(name, cutText(name, NAME_MAX), changes)
    if (members === FIELDS_MAX || kept in copy) {
      changes.changed = true
      continue
    }
    members += 1
    copy[kept] = normaliseValue(member, changes)
  }
  return copy
}

/** JSON has no infinity and no negative zero; beyond 2^53 − 1 an integer has lost digits already. */
function normaliseNumber(value: number): number | null {
  if (!Number.isFinite(value)) return null
  if (Object.is(value, -0)) return 0
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value
  return value > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

function toText(value: unknown, changes: Changes): string {
  if (typeof value === 'string') return noting(value, normaliseText(value), changes)
  changes.changed = true
  return normaliseText(asText(value))
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function toInteger(value: unknown, changes: Changes): number | null {
  if (typeof value === 'number') {
    const number = normaliseNumber(value)
    // The zero added turns the -0 that a small negative fraction leaves into 0.
    return noting(value, number === null ? null : Math.trunc(number) + 0, changes)
  }
  changes.changed = true
  return typeof value === 'string' && /^\s*-?\d{1,15}\s*$/.test(value) ? Number(value) + 0 : null
}

function toFlag(value: unknown, changes: Changes): boolean | null {
  if (typeof value === 'boolean') return value
  changes.changed = true
  if (value === 1 || value === 'true' || value === '1') return true
  if (value === 0 || value === 'false' || value === '0') return false
  return null
}

function toCategory(value: unknown, changes: Changes): string | string[] {
  const category = (item: unknown) => noting(item, cutText(asText(item), CATEGORY_UNITS_MAX), changes)
  if (!Array.isArray(value)) return category(value)
  if (value.length > CATEGORIES_MAX) changes.changed = true
  return value.slice(0, CATEGORIES_MAX).map(category)
}

function noting<Result>(before: unknown, after: Result, changes: Changes): Result {
  if (!Object.is(before, after)) changes.changed = true
  return after
}

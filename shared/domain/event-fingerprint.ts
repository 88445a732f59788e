import { createHash } from 'node:crypto'
import { fieldKinds } from './event-shape.ts'

/**
 * What an event's form says about the software that sent it; both are the first 64 bits of a SHA-256 as decimal text,
 * whatever the order of the fields.
 */
export type EventFingerprint = {
  /** Over the names that are present. */
  readonly shape: string
  /**
   * Over those names and, of custom arguments and fields that SendGrid does not document, what kind of value each has
   * (`valueKind`). SendGrid's own fields count by their presence alone: their values are SendGrid's.
   */
  readonly fingerprint: string
}

/** What stands for a field of SendGrid's own, whatever its value. */
const OWN = 'own'
type ValueKind = 'empty' | 'digits' | 'uuid' | 'hex' | 'number' | 'boolean' | 'text' | 'list' | 'object'

/** Fields in the order in which they came, as a path: one program's events take few of them. */
type Node = { readonly next: Map<string, Fork>; made: EventFingerprint | undefined }
/** Where a path goes on behind a name: one way for a field of SendGrid's, one for each kind of value otherwise. */
type Fork = { readonly isOwn: boolean; own: Node | undefined; readonly byKind: Map<ValueKind, Node> }

/** Far more than sending programs have; the bound is for hostile input. */
const NODES_MAX = 20_000
let root = emptyNode()
let nodes = 0

/** The event's fingerprints; remembered by the path of its fields, so that it costs a walk and no hash. */
export function fingerprintOf(event: { readonly [name: string]: unknown }): EventFingerprint {
  if (nodes >= NODES_MAX) {
    root = emptyNode()
    nodes = 0
  }
  let node = root
  for (const name in event) {
    let fork = node.next.get(name)
    if (fork === undefined) {
      fork = { isOwn: fieldKinds.has(name), own: undefined, byKind: new Map() }
      node.next.set(name, fork)
      nodes += 1
    }
    node = fork.isOwn ? (fork.own ??= emptyNode()) : behind(fork, valueKind(event[name]))
  }
  node.made ??= {
    shape: hashOf(Object.keys(event).toSorted()),
    fingerprint: hashOf(
      Object.keys(event)
        .toSorted()
        .map((name) => [name, kindOf(name, event[name])]),
    ),
  }
  return node.made
}

function emptyNode(): Node {
  return { next: new Map(), made: undefined }
}

function behind({ byKind }: Fork, kind: ValueKind): Node {
  const known = byKind.get(kind)
  if (known !== undefined) return known
  const made = emptyNode()
  byKind.set(kind, made)
  nodes += 1
  return made
}

function kindOf(name: string, value: unknown): ValueKind | typeof OWN {
  return fieldKinds.has(name) ? OWN : valueKind(value)
}

/**
 * The coarse kind of a value. Sixteen or more digits are `hex`: a hexadecimal id has no letter now and then, and must
 * not look like another program's because of it.
 */
export function valueKind(value: unknown): ValueKind {
  if (typeof value === 'string') return textKind(value)
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  if (value === null || value === undefined) return 'empty'
  return Array.isArray(value) ? 'list' : 'object'
}

const HEX_LENGTH_MIN = 16
const UUID_LENGTH = 36
const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function textKind(text: string): ValueKind {
  if (text === '') return 'empty'
  let digitsOnly = true
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0x30 && code <= 0x39) continue
    digitsOnly = false
    const letter = code | 0x20
    if (letter >= 0x61 && letter <= 0x66) continue
    return text.length === UUID_LENGTH && UUID_TEXT.test(text) ? 'uuid' : 'text'
  }
  if (text.length >= HEX_LENGTH_MIN) return 'hex'
  return digitsOnly ? 'digits' : 'text'
}

function hashOf(names: unknown): string {
  return createHash('sha256').update(JSON.stringify(names)).digest().readBigUInt64BE().toString()
}

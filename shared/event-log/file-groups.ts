import { hostname } from 'node:os'
import { z } from 'zod'
import type { CommittedPosition } from './event-log.ts'
import type { FileStore } from './file-store.ts'

/** An owner that has been silent for so long is dead or stuck; another member may take over. */
export const LEASE_TIMEOUT_MS = 10_000

/** Who owns a topic's partitions for a group. A released lease stays, without a member: the group is still known. */
const leaseSchema = z.object({
  member: z.string().nullable(),
  host: z.string(),
  pid: z.number(),
  heartbeatMs: z.number(),
})
const positionSchema = z.tuple([z.number(), z.string()])

export type LeaseName = { readonly topic: string; readonly group: string; readonly member: string }

/** Inside a write transaction: takes the lease if nobody living holds it, and answers whether `member` has it now. */
export function claimLease(store: FileStore, name: LeaseName): boolean {
  const lease = readLease(store, name)
  if (lease?.member != null && lease.member !== name.member && isAlive(lease)) return false
  writeLease(store, name, name.member)
  return true
}

/** Inside a write transaction: tells the others that the owner lives; false if it is the owner no more. */
export function renewLease(store: FileStore, name: LeaseName): boolean {
  if (!holdsLease(store, name)) return false
  writeLease(store, name, name.member)
  return true
}

/** Inside a write transaction: lets the next member take over at once. */
export function releaseLease(store: FileStore, name: LeaseName): void {
  if (holdsLease(store, name)) writeLease(store, name, null)
}

export function holdsLease(store: FileStore, name: LeaseName): boolean {
  return readLease(store, name)?.member === name.member
}

/** Whether a claim would succeed, without writing anything. */
export function isLeaseFree(store: FileStore, name: LeaseName): boolean {
  const lease = readLease(store, name)
  return lease?.member == null || lease.member === name.member || !isAlive(lease)
}

export function readPosition(
  store: FileStore,
  name: { readonly topic: string; readonly group: string },
  partition: number,
): CommittedPosition {
  const value = store.groups.get(positionKey(name, partition))
  if (value === undefined) return { offset: store.bounds(name.topic, partition).start, metadata: '' }
  const [offset, metadata] = positionSchema.parse(value)
  return { offset, metadata }
}

/** The positions of one group on all partitions of a topic. */
export function readPositions(
  store: FileStore,
  name: { readonly topic: string; readonly group: string },
): readonly CommittedPosition[] {
  const { partitions } = store.topic(name.topic)
  store.refresh()
  return Array.from({ length: partitions }, (_, partition) => readPosition(store, name, partition))
}

export function writePosition(
  store: FileStore,
  of: { readonly topic: string; readonly group: string; readonly partition: number },
  position: CommittedPosition,
): void {
  store.groups.putSync(positionKey(of, of.partition), [position.offset, position.metadata])
}

/** The offset before which every known group has consumed the partition; undefined if there is no group. */
export function consumedByAll(store: FileStore, topic: string, partition: number): number | undefined {
  let consumed: number | undefined
  const prefix = `${topic} lease `
  for (const key of store.groups.getKeys({ start: prefix, end: `${prefix}\uffff` })) {
    const { offset } = readPosition(store, { topic, group: key.slice(prefix.length) }, partition)
    consumed = Math.min(consumed ?? offset, offset)
  }
  return consumed
}

function isAlive(lease: z.output<typeof leaseSchema>): boolean {
  const silentMs = Date.now() - lease.heartbeatMs
  if (silentMs > LEASE_TIMEOUT_MS) return false
  // A process id says nothing on another host, nor in another container.
  return lease.host !== hostname() || isProcessAlive(lease.pid)
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readLease(store: FileStore, name: LeaseName): z.output<typeof leaseSchema> | undefined {
  const value = store.groups.get(leaseKey(name))
  return value === undefined ? undefined : leaseSchema.parse(value)
}

function writeLease(store: FileStore, name: LeaseName, member: string | null): void {
  store.groups.putSync(leaseKey(name), {
    member,
    host: hostname(),
    pid: process.pid,
    heartbeatMs: Date.now(),
  })
}

function leaseKey(name: { readonly topic: string; readonly group: string }): string {
  return `${name.topic} lease ${name.group}`
}

function positionKey(name: { readonly topic: string; readonly group: string }, partition: number): string {
  return `${name.topic} position ${name.group} ${partition}`
}

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createQuerySlots } from './query-slots.ts'

const settled = async (promise: Promise<unknown>) => {
  const mark = Symbol('waiting')
  return (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, mark))])) !== mark
}

it('lets a write pass reads that wait, and gives turns in order', async () => {
  const slots = createQuerySlots({ running: 2, runningReads: 1, waiting: 10 })
  const giveBack = await slots.take('read')
  const secondRead = slots.take('read')
  const thirdRead = slots.take('read')
  expect(await settled(secondRead)).toBe(false)
  expect(await settled(slots.take('write'))).toBe(true)
  giveBack()
  expect(await settled(secondRead)).toBe(true)
  expect(await settled(thirdRead)).toBe(false)
})

it("refuses with ClickHouse's error when too many wait", async () => {
  const slots = createQuerySlots({ running: 2, runningReads: 1, waiting: 1 })
  await slots.take('read')
  const waiting = slots.take('read')
  await expect(slots.take('read')).rejects.toMatchObject({ code: 202, type: 'TOO_MANY_SIMULTANEOUS_QUERIES' })
  expect(await settled(waiting)).toBe(false)
})

it('takes a request out of the queue when its caller gives up', async () => {
  const slots = createQuerySlots({ running: 2, runningReads: 1, waiting: 1 })
  const giveBack = await slots.take('read')
  const gone = new AbortController()
  const waiting = slots.take('read', gone.signal)
  gone.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
  await expect(slots.take('read', gone.signal)).rejects.toThrow('gone')
  const next = slots.take('read')
  giveBack()
  expect(await settled(next)).toBe(true)
})

it('never runs more than its limits and leaves none waiting, in any order of coming and going', async () => {
  const kinds = fc.array(fc.constantFrom('read' as const, 'write' as const), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(kinds, fc.scheduler(), async (requests, scheduler) => {
      const slots = createQuerySlots({ running: 3, runningReads: 2, waiting: 100 })
      const running = { read: 0, write: 0 }
      const all = requests.map(async (kind) => {
        const giveBack = await slots.take(kind)
        running[kind] += 1
        expect(running.read).toBeLessThanOrEqual(2)
        expect(running.read + running.write).toBeLessThanOrEqual(3)
        await scheduler.schedule(Promise.resolve())
        running[kind] -= 1
        giveBack()
        giveBack()
      })
      await scheduler.waitFor(Promise.all(all))
      expect(running).toEqual({ read: 0, write: 0 })
    }),
    { seed: 3 },
  )
})

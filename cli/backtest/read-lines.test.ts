import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLines } from './read-lines.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywatch-lines-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function linesOf(content: string | Buffer) {
  const file = join(folder, 'events')
  writeFileSync(file, content)
  const lines: string[] = []
  let fault: string | undefined
  for await (const block of readLines(file)) {
    expect(block.firstLine).toBe(lines.length + 1)
    lines.push(...block.lines)
    fault = block.fault
  }
  return { lines, fault }
}

describe('readLines', () => {
  it('gives back what was written, wherever the pieces are cut, plain and packed', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replaceAll('\n', ' '))
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 30 }), async (written) => {
        const text = `${written.join('\n')}\n`
        expect((await linesOf(text)).lines).toEqual(written)
        expect((await linesOf(gzipSync(text))).lines).toEqual(written)
      }),
      { numRuns: 30 },
    )
  })

  it('reads far more than one piece, letters beyond ASCII on the cuts', async () => {
    const written = Array.from({ length: 20_000 }, (_, index) => `${index} ${'é🔒'.repeat(index % 17)}`)
    expect((await linesOf(written.join('\n'))).lines).toEqual(written)
  })

  it('keeps a line without an end out of the memory and goes on behind it', async () => {
    const { lines } = await linesOf(`a\n${'x'.repeat(20 * 1024 * 1024)}\nb\n`)
    expect(lines).toEqual(['a', '\0', 'b'])
  })

  it('gives what it could read of a damaged archive, and says so', async () => {
    const written = Array.from({ length: 50_000 }, (_, index) => `line ${index} ${Math.sin(index)}`)
    const packed = gzipSync(written.join('\n'))
    const { lines, fault } = await linesOf(packed.subarray(0, packed.length / 2))
    expect(lines.length).toBeGreaterThan(1000)
    expect(lines.slice(0, 1000)).toEqual(written.slice(0, 1000))
    expect(fault).toBeDefined()
  })

  it('says which file cannot be read', async () => {
    await expect(readLines(join(folder, 'none')).next()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runbookOf } from '#shared/detection/alert-text.ts'
import { signals } from '#shared/domain/alert.ts'

const text = readFileSync(new URL('../../docs/runbooks.md', import.meta.url), 'utf8')

describe('the runbooks', () => {
  it.each(signals)('have a section for %s where its alerts link to', (signal) => {
    const anchor = runbookOf(signal).split('#').at(-1)
    expect(text).toContain(`<a id="${anchor}"></a>\n\n## ${signal}\n`)
  })

  it('link to places that exist', () => {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    )
    const anchors = new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id)])
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, id]) => id)
    expect(links.filter((id) => !anchors.has(id))).toEqual([])
    expect(links.length).toBeGreaterThan(0)
  })

  it('name only settings that exist', () => {
    const config = readFileSync(new URL('../../shared/config/detection-config.ts', import.meta.url), 'utf8')
    const settings = [...text.matchAll(/`detection\.([a-z_]+)`/g)].map(([, name]) => name)
    expect(settings.filter((name) => !config.includes(`${name}:`))).toEqual([])
  })
})

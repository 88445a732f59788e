import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { signals } from '#shared/domain/alert.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const text = read('docs/detection.md')

describe('docs/detection.md', () => {
  it('names only settings that exist', () => {
    const config = read('shared/config/detection-config.ts') + read('shared/config/config.ts')
    const settings = [...text.matchAll(/`(?:detection|detector|warehouse)\.([a-z_]+)`/g)].map(
      ([, name]) => name,
    )
    expect(settings.filter((name) => !config.includes(`${name}:`))).toEqual([])
    expect(settings.length).toBeGreaterThan(5)
  })

  it('names every signal but the test, and none that does not exist', () => {
    const families = new Set(signals.map((signal) => signal.slice(0, signal.indexOf('.'))))
    const named = [...text.matchAll(/`([a-z]+\.[a-z_*]+)`/g)].map(([, name = '']) => name)
    const known = new Set<string>(signals)
    const isOfFamily = (name: string) => families.has(name.slice(0, name.indexOf('.')))
    expect(named.filter((name) => isOfFamily(name) && !name.endsWith('*') && !known.has(name))).toEqual([])
    const isCovered = (signal: string) =>
      named.includes(signal) || named.includes(`${signal.slice(0, signal.indexOf('.'))}.*`)
    expect(signals.filter((signal) => !isCovered(signal))).toEqual(['pipeline.test'])
  })

  it('links to pages and places that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)(?:#([^)]+))?\)/g)].map(([, page = '', place]) => ({
      page,
      place,
    }))
    expect(links.length).toBeGreaterThan(2)
    for (const { page, place } of links) {
      const headings = [...read(`docs/${page}`).matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
        title.toLowerCase().replaceAll(' ', '-'),
      )
      expect([undefined, ...headings]).toContain(place)
    }
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskAddresses, maskLink } from './mask-addresses.ts'

describe('maskAddresses', () => {
  it.each([
    { name: 'a bare address', text: 'jane.doe@example.com', masked: '***@example.com' },
    {
      name: 'angle brackets',
      text: '550 <jane+x@a.org>: no such user',
      masked: '550 <***@a.org>: no such user',
    },
    { name: 'a quoted local part', text: 'to "jane doe"@a.org now', masked: 'to ***@a.org now' },
    { name: 'several addresses', text: 'a@b.de,c@d.fr', masked: '***@b.de,***@d.fr' },
    { name: 'VERP', text: 'bounce+jane=a.org@b.de', masked: '***@b.de' },
    {
      name: 'an address in a link',
      text: 'https://x.io/u?e=jane%40a.org&n=1',
      masked: 'https://x.io/u?e=***%40a.org&n=1',
    },
    {
      name: 'twice encoded',
      text: 'https://x.io/?e=jane%2540a.org',
      masked: 'https://x.io/?e=***%2540a.org',
    },
    { name: 'an address literal', text: 'jane@[10.0.0.1]', masked: '***@[10.0.0.1]' },
    { name: 'letters beyond ASCII', text: 'jürgen@müller.de', masked: '***@müller.de' },
    { name: 'no address', text: 'status 5.4.0 @ 40%', masked: 'status 5.4.0 @ 40%' },
  ])('masks $name', ({ text, masked }) => {
    expect(maskAddresses(text)).toBe(masked)
  })

  it('leaves no local part of an address behind, whatever surrounds it', () => {
    const local = fc.stringMatching(/^[a-z]{4,20}$/)
    fc.assert(
      fc.property(fc.string(), local, fc.string(), (before, name, after) => {
        expect(maskAddresses(`${before} Q${name}@example.com ${after}`)).not.toContain(`Q${name}@`)
      }),
    )
  })

  it('takes linear time on text made to be slow', () => {
    const started = performance.now()
    maskAddresses('a'.repeat(200_000) + '@'.repeat(200_000) + '"'.repeat(100_000) + '"@b'.repeat(100_000))
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe('maskLink', () => {
  it.each([
    ['https://a.io/login?e=jane@b.org', 'https://a.io/***@b.org'],
    ['https://a.io#jane@b.org', 'https://a.io#***@b.org'],
    ['https://jane@a.io:8080/x', 'https://***@a.io:8080/x'],
    ['https://a.io/u?e=jane%40b.org&n=1', 'https://a.io/u?e=***%40b.org&n=1'],
    ['mailto:jane@b.org', 'mailto:***@b.org'],
    ['https://a.io/x', 'https://a.io/x'],
  ])('keeps the host and masks the address: %s', (link, masked) => {
    expect(maskLink(link)).toBe(masked)
  })

  it('leaves no local part of an address behind, wherever it stands in a link', () => {
    const local = fc.stringMatching(/^[a-z]{4,20}$/)
    fc.assert(
      fc.property(fc.string(), local, fc.string(), (before, name, after) => {
        expect(maskLink(`https://a.io${before} Q${name}@example.com ${after}`)).not.toContain(`Q${name}@`)
      }),
    )
  })
})

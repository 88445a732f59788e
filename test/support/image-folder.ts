import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { REPOSITORY } from './compose-file.ts'

const lockfile = z.object({
  packages: z.record(z.string(), z.looseObject({ dev: z.boolean().optional() })),
})

/**
 * Lays out `folder` as the Dockerfile lays out the image's /app: the files that its last stage copies, and only the
 * packages that its first stage keeps. What the Dockerfile forgets is missing here too.
 */
export async function layOutImage(folder: string): Promise<void> {
  const dockerfile = await readFile(`${REPOSITORY}Dockerfile`, 'utf8')
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  const copies = [...lastStage.matchAll(/^COPY (?!--)(.+)$/gm)].map(([, paths]) => (paths ?? '').split(' '))
  if (copies.length === 0) throw new Error('the Dockerfile copies nothing')
  for (const paths of copies) {
    const target = paths.at(-1) ?? ''
    for (const path of paths.slice(0, -1)) {
      const to = target.endsWith('/') ? join(folder, target, path) : join(folder, target)
      await cp(`${REPOSITORY}${path}`, to, { recursive: true, filter: (file) => !file.endsWith('.test.ts') })
    }
  }
  const removed = /rm -rf ((?:node_modules\/\S+ ?)+)/.exec(dockerfile)?.[1]?.trim().split(' ') ?? []
  const { packages } = lockfile.parse(JSON.parse(await readFile(`${REPOSITORY}package-lock.json`, 'utf8')))
  for (const [path, { dev = false }] of Object.entries(packages)) {
    const isTopLevel = /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path)
    const isRemoved = removed.some((gone) => path === gone || path.startsWith(`${gone}/`))
    if (!isTopLevel || dev || isRemoved || !existsSync(`${REPOSITORY}${path}`)) continue
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await symlink(`${REPOSITORY}${path}`, join(folder, path))
  }
}

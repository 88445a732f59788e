#!/usr/bin/env node
// The command runs from TypeScript source; tsx compiles it in this process, so signals arrive where they belong.
try {
  const { register } = await import('tsx/esm/api')
  register()
} catch {
  process.stderr.write('keywatch: the dependencies are not installed; run "npm ci" in this folder first.\n')
  process.exit(1)
}
await import('./main.ts')

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A server under measurement, as a process of its own. */
export type MeasuredServer = {
  readonly url: string
  /** CPU seconds, user and system, that the process has used so far. */
  readonly cpuSeconds: () => Promise<number>
  readonly stop: () => Promise<void>
}

type Target = { readonly brokers: readonly string[]; readonly publicKey: string }

/** Ingest as it is run in production, on the given brokers. `nodeOptions` may hold `--cpu-prof`. */
export async function startIngestServer(
  target: Target,
  nodeOptions: readonly string[],
): Promise<MeasuredServer> {
  const directory = await mkdtemp(join(tmpdir(), 'keywatch-bench-'))
  const child = startChild(
    [
      ...nodeOptions,
      '--import',
      import.meta.resolve('tsx'),
      fileURLToPath(import.meta.resolve('../../services/ingest/main.ts')),
    ],
    {
      KEYWATCH_DATA_DIRECTORY: directory,
      KEYWATCH_SOURCES: `{"main": {"public_keys": ["${target.publicKey}"]}}`,
      KEYWATCH_EVENT_LOG__URL: `kafka://${target.brokers.join(',')}`,
      KEYWATCH_PRIVACY__HASH_KEY: 'only-for-this-benchmark',
      KEYWATCH_INGEST__LISTEN: '127.0.0.1:0',
      KEYWATCH_INGEST__ADMIN_LISTEN: '127.0.0.1:0',
    },
  )
  const line = await child.lineWith('"listening"')
  const address = /"address":"([^"]+)"/.exec(line)?.[1] ?? ''
  const adminPort = /"admin_port":(\d+)/.exec(line)?.[1] ?? ''
  return {
    url: `${address}/v1/webhooks/sendgrid/main`,
    cpuSeconds: async () => {
      const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
      return Number(/^process_cpu_seconds_total ([\d.]+)/m.exec(text)?.[1])
    },
    stop: async () => {
      await child.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export async function startPlainServer(target: Target & { readonly topic: string }): Promise<MeasuredServer> {
  const child = startChild([
    '--import',
    import.meta.resolve('tsx'),
    fileURLToPath(import.meta.resolve('./plain-sample.ts')),
    '--brokers',
    target.brokers.join(','),
    '--topic',
    target.topic,
    '--public-key',
    target.publicKey,
  ])
  const port = /"port":(\d+)/.exec(await child.lineWith('"port"'))?.[1] ?? ''
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    cpuSeconds: async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/cpu`)).text()
      return Number(/[\d.]+/.exec(text)?.[0])
    },
    stop: () => child.stop(),
  }
}

/** Requests per CPU second of the bare parts (parts.ts). */
export async function measureParts(options: {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly events: number
}): Promise<number> {
  const child = startChild([
    '--import',
    import.meta.resolve('tsx'),
    fileURLToPath(import.meta.resolve('./parts.ts')),
    '--brokers',
    options.brokers.join(','),
    '--topic',
    options.topic,
    '--events',
    String(options.events),
  ])
  const line = await child.lineWith('"requestsPerCpuSecond"')
  return Number(/[\d.]+/.exec(line)?.[0])
}

function startChild(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => lines.push(line))
  return {
    async lineWith(text: string): Promise<string> {
      for (;;) {
        const found = lines.find((line) => line.includes(text))
        if (found !== undefined) return found
        if (child.exitCode !== null) throw new Error(`a process ended early:\n${lines.join('\n')}`)
        await Promise.race([once(reader, 'line'), once(child, 'close')])
      }
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}

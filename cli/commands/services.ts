import type { Command } from 'commander'

const services = {
  ingest: 'receive signed SendGrid webhooks and append their events to the log',
  detector: 'store the events in the warehouse and raise alerts',
  notifier: 'tell people about alerts',
  warehouse: 'run the embedded ClickHouse engine on loopback',
} as const

/** `keywatch ingest | detector | notifier | warehouse`: one service in this process, until SIGTERM. */
export function registerServices(program: Command) {
  for (const [name, description] of Object.entries(services)) {
    program
      .command(name)
      .description(description)
      .action(async () => {
        await import(new URL(`../../services/${name}/main.ts`, import.meta.url).href)
      })
  }
}

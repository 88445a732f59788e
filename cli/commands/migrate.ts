import type { Command } from 'commander'
import { loadConfig } from '#shared/config/load-config.ts'
import { warehouseConnection } from '#shared/warehouse/connection.ts'
import { migrateWarehouse } from '#shared/warehouse/migrate.ts'

/** `keywatch migrate`: brings the warehouse's schema up to date; does nothing when it already is. */
export function registerMigrate(program: Command) {
  program
    .command('migrate')
    .description("bring the warehouse's schema up to date")
    .option('--json', 'print the result as JSON')
    .action(async (options: { json?: boolean }) => {
      const config = loadConfig(process.env)
      const { applied } = await migrateWarehouse(warehouseConnection(config), {
        rawRetentionDays: config.warehouse.raw_retention_days,
        ...(config.warehouse.cluster === undefined ? {} : { cluster: config.warehouse.cluster }),
      })
      if (options.json === true) console.log(JSON.stringify({ applied }))
      else console.log(applied.length === 0 ? 'The schema is up to date.' : `Applied: ${applied.join(', ')}`)
    })
}

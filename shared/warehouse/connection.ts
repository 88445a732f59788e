import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import type { WarehouseConnection } from './client.ts'
import { readWarehousePassword } from './password.ts'

/**
 * How this configuration reaches the warehouse: with `warehouse.password`, or with the password that the
 * embedded warehouse keeps in the data directory. Throws the AppError `CONFIG_INVALID` where neither exists.
 */
export function warehouseConnection(
  config: Pick<Config, 'data_directory' | 'warehouse'>,
): WarehouseConnection {
  const { url, username, database } = config.warehouse
  const password = config.warehouse.password ?? readWarehousePassword(config.data_directory)
  if (password === undefined) {
    throw new AppError(
      'CONFIG_INVALID',
      `there is no password for the warehouse at ${url}: start the embedded warehouse first (keywatch warehouse), which makes one in ${config.data_directory}/warehouse/password, or set KEYWATCH_WAREHOUSE__PASSWORD_FILE for a ClickHouse server`,
      { retriable: false },
    )
  }
  return { url, username, password, database }
}

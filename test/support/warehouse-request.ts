import type { WarehouseConnection } from '#shared/warehouse/client.ts'

/** One request as any HTTP client would send it, with the right password unless `headers` say otherwise. */
export async function warehouseRequest(
  connection: WarehouseConnection,
  request: {
    readonly query?: Readonly<Record<string, string>>
    readonly body?: string | Uint8Array<ArrayBuffer>
    readonly headers?: Readonly<Record<string, string>>
    readonly method?: string
    readonly path?: string
  },
): Promise<{ status: number; headers: Headers; text: string; bytes: Uint8Array }> {
  const url = new URL(request.path ?? '/', connection.url)
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value)
  const response = await fetch(url, {
    method: request.method ?? 'POST',
    headers: request.headers ?? {
      'x-clickhouse-user': connection.username,
      'x-clickhouse-key': connection.password,
    },
    ...(request.body === undefined ? {} : { body: request.body }),
  })
  const bytes = new Uint8Array(await response.arrayBuffer())
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text: Buffer.from(bytes).toString('utf8'),
  }
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export type Credentials = { readonly username: string; readonly password: string }

/**
 * What a request brings to prove who it is: ClickHouse's own headers, HTTP Basic, or the URL parameters
 * `user` and `password`, in this order. Undefined when it brings nothing.
 */
export function presentedCredentials(
  headers: IncomingHttpHeaders,
  parameters: ReadonlyMap<string, string>,
): Credentials | undefined {
  const user = headers['x-clickhouse-user']
  const key = headers['x-clickhouse-key']
  if (typeof user === 'string' || typeof key === 'string') {
    return { username: String(user ?? 'default'), password: String(key ?? '') }
  }
  const basic = /^basic ([a-z0-9+/=_-]+)$/i.exec(headers.authorization ?? '')?.[1]
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon !== -1) return { username: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  const username = parameters.get('user')
  const password = parameters.get('password')
  if (username === undefined && password === undefined) return undefined
  return { username: username ?? 'default', password: password ?? '' }
}

/** Compares in a time that says nothing about how much of either was right. */
export function credentialsMatch(presented: Credentials, expected: Credentials): boolean {
  const isUser = timingSafeEqual(digest(presented.username), digest(expected.username))
  const isPassword = timingSafeEqual(digest(presented.password), digest(expected.password))
  return isUser && isPassword
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

import type { Writable } from 'node:stream'
import type { Config } from '#shared/config/config.ts'
import type { Channel } from './channel.ts'
import { preparePosts } from './post-json.ts'
import { createSlackChannel } from './slack-channel.ts'
import { createTerminalChannel } from './terminal-channel.ts'
import { createWebhookChannel } from './webhook-channel.ts'

export type ChannelConfig = Config['notifier']['channels'][string]

/** Makes a configured channel; throws the AppError `CONFIG_INVALID` where its URL or secrets can never work. */
export function createChannel(
  name: string,
  config: ChannelConfig,
  deps: {
    readonly terminal: { readonly output: Writable; readonly coloured: boolean }
    readonly nowMs: () => number
  },
): Channel {
  switch (config.type) {
    case 'terminal':
      return createTerminalChannel(deps.terminal.output, deps.terminal.coloured)
    case 'slack':
      return createSlackChannel(postsTo(name, config, deps.nowMs))
    case 'webhook':
      return createWebhookChannel({
        name,
        posts: postsTo(name, config, deps.nowMs),
        secrets: config.secrets,
        nowMs: deps.nowMs,
      })
    default:
      return config satisfies never
  }
}

function postsTo(
  name: string,
  config: { readonly url: string; readonly allow_private_address: boolean },
  nowMs: () => number,
) {
  return preparePosts({
    name,
    url: config.url,
    allowPrivateAddress: config.allow_private_address,
    nowMs,
  })
}

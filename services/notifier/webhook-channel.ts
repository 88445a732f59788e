import { parseWebhookSecret, signWebhook } from '#shared/domain/standard-webhooks.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Channel, Notification } from './channel.ts'
import type { PostJson } from './post-json.ts'

/**
 * Tells a program, in the form of Standard Webhooks 1.0.0: `{type, timestamp, data}` with `data` the alert.
 *
 * `webhook-id` is the alert's id and revision, the same for every try and after a restart, so that a receiver
 * that keeps the ids it has seen handles each state once even if its answer to us was lost.
 */
export function createWebhookChannel(options: {
  readonly name: string
  readonly posts: PostJson
  readonly secrets: readonly string[]
  readonly nowMs: () => number
}): Channel {
  const { posts, nowMs } = options
  const secrets = options.secrets.map((text) => {
    const secret = parseWebhookSecret(text)
    if (secret !== undefined) return secret
    throw new AppError(
      'CONFIG_INVALID',
      `notifier.channels.${options.name}.secrets: each must be whsec_ and the base64 of 24 to 64 random bytes`,
      { retriable: false },
    )
  })
  return {
    send: (notification, signal) => {
      const body = webhookBody(notification)
      const { alert_id, revision } = notification.alert
      const headers = signWebhook({
        id: `${alert_id}.${revision}`,
        timestampSeconds: Math.floor(nowMs() / 1000),
        body,
        secrets,
      })
      return posts.post(body, headers, signal)
    },
    close: () => posts.close(),
  }
}

function webhookBody({ alert, change }: Notification): string {
  return JSON.stringify({ type: `alert.${change}`, timestamp: alert.changed_at, data: alert })
}

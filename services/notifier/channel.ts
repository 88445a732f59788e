import type { Alert } from '#shared/domain/alert.ts'
import type { AlertChange } from '#shared/domain/alert-text.ts'

/** One state change of an alert on its way to a channel. */
export type Notification = { readonly alert: Alert; readonly change: AlertChange }

/**
 * What a channel said to one try.
 *
 * `refused` is final: the same message would be refused again. `unavailable` may pass; `retryAfterMs` is the
 * channel's own wish.
 */
export type DeliveryOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly retryAfterMs?: number }

/** A place where people or machines are told about alerts. `send` never rejects for what the other side does. */
export interface Channel {
  send(notification: Notification, signal: AbortSignal): Promise<DeliveryOutcome>
  close(): Promise<void>
}

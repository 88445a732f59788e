import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import type { Logger } from 'pino'
import { answerRefused, type Refusal } from './answers.ts'
import type { WebhookHandler } from './handle-webhook.ts'
import type { IngestMetrics } from './metrics.ts'

const WEBHOOK_PATH = '/v1/webhooks/sendgrid/:source'

/** The routes: one that takes webhooks, and JSON for everything else. No body is parsed on the way. */
export function createApp(deps: {
  readonly handleWebhook: WebhookHandler
  readonly metrics: IngestMetrics
  readonly log: Logger
}): Express {
  const { handleWebhook, metrics, log } = deps
  const refuse = (request: Request, response: Response, refusal: Refusal) => {
    metrics.requests.inc({ outcome: refusal })
    answerRefused(request, response, refusal)
  }

  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', false)
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.post(WEBHOOK_PATH, (request, response) => handleWebhook(request.params.source, request, response))
  app.all(WEBHOOK_PATH, (request, response) => refuse(request, response, 'method_not_allowed'))
  app.use((request, response) => refuse(request, response, 'not_found'))
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    if (isClientError(error)) {
      refuse(request, response, 'bad_request')
      return
    }
    log.error({ err: error }, 'a request failed')
    refuse(request, response, 'failed')
  })
  return app
}

/** Express marks a path that cannot be decoded with the status 400. */
function isClientError(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 400
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Config } from '#shared/config/config.ts'
import {
  checkSignedHeaders,
  SIGNATURE_HEADER,
  TIMESTAMP_HEADER,
  verifySignedBody,
  type HeaderCheck,
  type SignatureRefusal,
} from '#shared/domain/webhook-signature.ts'
import { answerAccepted, answerRefused, type Refusal } from './answers.ts'
import type { AppendMessages } from './append-messages.ts'
import type { ByteBudget } from './byte-budget.ts'
import { HEADERS_MAX } from './http-limits.ts'
import type { IngestMetrics } from './metrics.ts'
import type { PreparedRequest, PrepareMessages } from './prepare-messages.ts'
import { readBody } from './read-body.ts'
import type { Source, Sources } from './sources.ts'
import { createWorkGate } from './work-gate.ts'

/** Bodies that are parsed and not yet durable at a time: a few hundred requests of SendGrid's, or one very large one. */
const WORK_BYTES_MAX = 8 * 1024 * 1024

export type WebhookHandlerDeps = {
  readonly settings: Config['ingest']
  readonly sources: Sources
  readonly budget: ByteBudget
  readonly metrics: IngestMetrics
  readonly prepareMessages: PrepareMessages
  readonly appendMessages: AppendMessages
  readonly isStopping: () => boolean
  readonly nowMs: () => number
  /** `verifySignedBody`, unless a test counts its calls. */
  readonly verify: typeof verifySignedBody
}
export type WebhookHandler = (
  sourceName: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>

/**
 * Makes the handler of `POST /v1/webhooks/sendgrid/:source`.
 *
 * The checks go from cheap to dear, and nobody without a plausible signature header makes ingest read a body. Up to
 * the last check an unknown source takes the same way as a known one. 2xx is sent only once the whole request
 * is durable.
 */
export function createWebhookHandler(deps: WebhookHandlerDeps): WebhookHandler {
  const { settings, sources, budget, metrics, nowMs } = deps
  const gate = createWorkGate(WORK_BYTES_MAX)

  return async function handleWebhook(sourceName, request, response) {
    const { source, keys } = sources.find(sourceName)
    const refuse = (refusal: Refusal) => {
      metrics.requests.inc({ outcome: refusal })
      answerRefused(request, response, refusal)
    }
    const refuseSignature = (reason: SignatureRefusal) => {
      metrics.signatureRejected.inc({ reason })
      refuse(source === undefined ? 'unknown_source' : 'unauthorised')
    }

    const fault = deps.isStopping() ? 'stopping' : findHeaderFault(request, settings.body_limit_bytes)
    if (fault !== undefined) return refuse(fault)
    const headers = checkSignature(request, settings, nowMs())
    if (headers.kind === 'refused') return refuseSignature(headers.reason)

    const lease = budget.lease()
    try {
      if (request.headers.expect !== undefined) response.writeContinue()
      const read = await readBody(request, { limitBytes: settings.body_limit_bytes, lease })
      if (read.kind === 'aborted') return metrics.requests.inc({ outcome: 'aborted' })
      if (read.kind !== 'read') return refuse(read.kind)

      const verified = deps.verify(keys, headers, read.body)
      if (verified.kind === 'refused') return refuseSignature(verified.reason)
      if (source === undefined) return refuse('unknown_source')
      metrics.keyMatched.inc({ source: source.name, key_index: verified.keyIndex })
      metrics.signatureAge.observe(verified.ageSeconds)

      const { prepared, durable, settled } = await gate.run(read.body.length, async () => {
        const messages = await deps.prepareMessages(source, read.body, nowMs())
        return { prepared: messages, ...(await deps.appendMessages(messages)) }
      })
      if (!durable) {
        // What a late append still holds counts until the log lets go of it.
        lease.keepUntil(settled)
        return refuse('log_unavailable')
      }
      countAccepted(metrics, source, prepared)
      answerAccepted(response, {
        accepted: prepared.events.length,
        rejected: prepared.rejected.length,
        closing: deps.isStopping(),
      })
    } finally {
      lease.release()
    }
  }
}

function countAccepted(metrics: IngestMetrics, source: Source, prepared: PreparedRequest) {
  metrics.requests.inc({ outcome: 'accepted' })
  for (const [event, count] of prepared.countByType) metrics.events.inc({ source: source.name, event }, count)
  for (const [rule, count] of prepared.countByRule)
    metrics.attributed.inc({ source: source.name, rule }, count)
}

/** What can be said from the request line and the headers, whoever sent them. */
function findHeaderFault(request: IncomingMessage, bodyLimitBytes: number): Refusal | undefined {
  // Node.js drops what exceeds its limit without a word, so a full list may lack the headers that matter.
  if (request.rawHeaders.length >= HEADERS_MAX * 2 || !hasOneHost(request)) return 'bad_request'
  const { 'content-encoding': encoding, 'content-length': length } = request.headers
  // The signature covers the bytes as sent, and inflating would let 200 kB become 200 MB.
  if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') {
    return 'unsupported_encoding'
  }
  return Number(length ?? 0) > bodyLimitBytes ? 'too_large' : undefined
}

/** RFC 9112 section 3.2 demands 400 for none and for two; Node.js would take the first of two. */
function hasOneHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts === 1
}

function checkSignature(request: IncomingMessage, settings: Config['ingest'], nowMs: number): HeaderCheck {
  const { [SIGNATURE_HEADER]: signature, [TIMESTAMP_HEADER]: timestamp } = request.headers
  return checkSignedHeaders(
    { signature: onlyText(signature), timestamp: onlyText(timestamp) },
    {
      nowMs,
      maxAgeSeconds: settings.signature_max_age_seconds,
      maxFutureSeconds: settings.signature_max_future_seconds,
    },
  )
}

/** A repeated header arrives joined with a comma, which neither a timestamp nor a signature may contain. */
function onlyText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}

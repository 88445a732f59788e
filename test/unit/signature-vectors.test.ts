import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadPublicKey, verifyWebhook } from '#shared/domain/webhook-signature.ts'

const vectorFile = new URL('../../../shared/sendgrid/signature-vectors.json', import.meta.url)
const absent = !existsSync(vectorFile)

const vectorsSchema = z.object({
  vectors: z.array(
    z.object({
      name: z.string(),
      public_key: z.string(),
      signature: z.string(),
      timestamp: z.string(),
      body_base64: z.base64(),
      valid: z.boolean(),
    }),
  ),
})

describe.skipIf(absent && process.env['CI'] !== 'true')(
  "SendGrid's published signature vectors (need ../shared/sendgrid/signature-vectors.json)",
  () => {
    const vectors = absent ? [] : vectorsSchema.parse(JSON.parse(readFileSync(vectorFile, 'utf8'))).vectors

    it('are there, valid and invalid ones', () => {
      expect(new Set(vectors.map((vector) => vector.valid))).toEqual(new Set([true, false]))
    })

    it.each(vectors)('$name: verifies or fails as stated', (vector) => {
      const outcome = verifyWebhook({
        keys: [loadPublicKey(vector.public_key)],
        signature: vector.signature,
        timestamp: vector.timestamp,
        body: Buffer.from(vector.body_base64, 'base64'),
        // The vectors are years old; the clock stands at the moment of their signature.
        nowMs: (Number(vector.timestamp) || 1_600_112_502) * 1000,
        maxAgeSeconds: 25 * 3600,
        maxFutureSeconds: 300,
      })
      expect(outcome.kind).toBe(vector.valid ? 'verified' : 'refused')
    })
  },
)

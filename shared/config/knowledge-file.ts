import { z } from 'zod'
import { knowledgeSchema, type Knowledge } from '#shared/domain/knowledge.ts'
import { AppError } from '#shared/runtime/app-error.ts'

const listSchema = z.array(z.record(z.string(), z.json()))

/**
 * Reads the facts in a file for a backtest: a JSON array of facts, or `{ "knowledge": […] }`, which is what
 * `keywatch keys list --json` prints among others. `knowledge_id`, `author`, `note`, `created_at` and `revoked` may be
 * left out. Throws the AppError `CONFIG_INVALID`, which names every fault and where in `name` it is.
 */
export function parseKnowledgeFile(text: string, name: string): Knowledge[] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw invalid(`${name} is not JSON; correct it there.`, error)
  }
  if (isReport(content)) content = content.knowledge
  const items = listSchema.safeParse(content)
  if (!items.success) {
    throw invalid(
      `${name} must hold a JSON array of facts, or an object with such an array under "knowledge".`,
    )
  }
  const parsed = z.array(knowledgeSchema).safeParse(
    items.data.map((item, index) => ({
      // What belongs to the bookkeeping of the warehouse need not be said.
      knowledge_id: `file-${index}`,
      author: 'file',
      note: '',
      created_at: '1970-01-01T00:00:00Z',
      revoked: false,
      ...item,
    })),
  )
  if (parsed.success) return parsed.data
  throw invalid(`${name} has faults; correct them there:\n${z.prettifyError(parsed.error)}`)
}

function isReport(content: unknown): content is { readonly knowledge: unknown } {
  return typeof content === 'object' && content !== null && !Array.isArray(content) && 'knowledge' in content
}

function invalid(message: string, cause?: unknown): AppError {
  return new AppError('CONFIG_INVALID', message, { cause, retriable: false })
}

import type { Command } from 'commander'
import { AppError } from '#shared/runtime/app-error.ts'
import { findKnowledge, revokeKnowledge } from '#shared/warehouse/knowledge-store.ts'
import { knowledgeText } from '../keys/knowledge-text.ts'
import { defaultAuthor, withWarehouse } from '../warehouse-command.ts'

/** `keywatch keys undo ID`: takes back what was stated. */
export function registerKeysUndo(keys: Command) {
  keys
    .command('undo')
    .description('take back a plan, an acceptance, a retirement or a mark')
    .argument('<id>', 'id of what was stated (keywatch keys list)')
    .option('--author <name>', "who says so (default: the system's user)")
    .option('--json', 'print what was taken back as JSON')
    .action(async (id: string, options: { json?: true; author?: string }) => {
      await withWarehouse(async (client) => {
        const item = await findKnowledge(client, id)
        if (item === undefined || item.revoked) {
          throw new AppError(
            'NOT_FOUND',
            item === undefined
              ? `nothing was stated under the id ${id.slice(0, 64)}: keywatch keys list shows what was`
              : `that was taken back already: ${knowledgeText(item)}`,
            { retriable: false },
          )
        }
        await revokeKnowledge(client, item, { author: options.author ?? defaultAuthor(), nowMs: Date.now() })
        if (options.json === true) console.log(JSON.stringify({ knowledge: [{ ...item, revoked: true }] }))
        else console.log(`Taken back for ${item.source}/${item.key}: ${knowledgeText(item)}.`)
      })
    })
}

import type { Command } from 'commander'
import { registerKeysAccept } from './keys-accept.ts'
import { registerKeysList } from './keys-list.ts'
import { registerKeysPlan } from './keys-plan.ts'
import { registerKeysRetire } from './keys-retire.ts'
import { registerKeysUndo } from './keys-undo.ts'

/** `keywatch keys …`: the keys that send, and what people know of them. */
export function registerKeys(program: Command) {
  const keys = program
    .command('keys')
    .description('the keys that send, and what people know of them: plans, accepted changes, retired keys')
  registerKeysList(keys)
  registerKeysPlan(keys)
  registerKeysAccept(keys)
  registerKeysRetire(keys)
  registerKeysUndo(keys)
}

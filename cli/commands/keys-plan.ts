import type { Command } from 'commander'
import { z } from 'zod'
import { countOption, parseOptions, timeOption } from '../arguments/parse-options.ts'
import { factHead, factOptions, sourceOfKey, stateFact, withFactOptions } from '../keys/state-fact.ts'
import { withWarehouse } from '../warehouse-command.ts'

const HELP = `
Example: a newsletter on Tuesday morning, and nothing else on that key at that time
  keywatch keys plan newsletter --from 2026-03-03T09:00+01:00 --until 2026-03-03T12:00+01:00 \\
    --messages 400_000 --template d-0123456789abcdef0123456789abcdef
Inside the plan nothing pages; at its time with another template, category or campaign, sooner than otherwise.`

const named = z.string().min(1, 'must not be empty').max(256, 'must be at most 256 characters').optional()
/** A plan that covers a year would be a hole in the fence. */
const DAYS_MAX = 31

/** `keywatch keys plan KEY`: announces a send. */
export function registerKeysPlan(keys: Command) {
  withFactOptions(
    keys
      .command('plan')
      .description('announce a send, so that it pages nobody')
      .argument('<key>', 'name of the key, as alerts show it')
      .requiredOption('--from <time>', 'when it begins: 2026-03-03T09:00+01:00, or now')
      .requiredOption('--until <time>', `when it is over, at most ${DAYS_MAX} days later`)
      .requiredOption('--messages <count>', 'how many messages at most')
      .option('--template <id>', 'only messages of this template')
      .option('--category <name>', 'only messages with this category')
      .option('--campaign <id>', 'only messages of this marketing campaign'),
  )
    .addHelpText('after', HELP)
    .action(plan)
}

async function plan(key: string, raw: unknown) {
  const nowMs = Date.now()
  const schema = z
    .object({
      ...factOptions,
      from: timeOption(nowMs),
      until: timeOption(nowMs),
      messages: countOption,
      template: named,
      category: named,
      campaign: named,
    })
    .superRefine(({ from, until }, context) => {
      const lengthMs = Date.parse(until) - Date.parse(from)
      const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['until'], message })
      if (lengthMs <= 0) refuse('must be later than --from')
      if (lengthMs > DAYS_MAX * 86_400_000) refuse(`must be at most ${DAYS_MAX} days later than --from`)
    })
  const options = parseOptions(schema, raw, 'keys plan')
  const { from, until, messages, template, category, campaign } = options
  await withWarehouse(async (client, config) => {
    const { source, isKnown } = await sourceOfKey(client, config, { key, source: options.source })
    const item = {
      ...factHead(options, nowMs),
      kind: 'planned_send' as const,
      source,
      key,
      from,
      until,
      messages_max: messages,
      ...(template === undefined ? {} : { template }),
      ...(category === undefined ? {} : { category }),
      ...(campaign === undefined ? {} : { campaign }),
    }
    await stateFact(client, item, { json: options.json, isKnown })
  })
}

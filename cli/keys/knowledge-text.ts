import type { Knowledge } from '#shared/domain/knowledge.ts'
import { shortTime } from '../output/table.ts'

/** A fact in a few words. */
export function knowledgeText(item: Knowledge): string {
  switch (item.kind) {
    case 'planned_send': {
      const content = [
        item.template === undefined ? '' : ` with template ${item.template}`,
        item.category === undefined ? '' : ` with category ${item.category}`,
        item.campaign === undefined ? '' : ` of campaign ${item.campaign}`,
      ].join('')
      return `plan: up to ${item.messages_max.toLocaleString('en')} messages${content}, ${shortTime(item.from)} to ${shortTime(item.until)}`
    }
    case 'accept_new_normal':
      return `accepted as usual since ${shortTime(item.from)}`
    case 'alert_mark':
      return `alert ${item.alert_id} marked as ${item.verdict}`
    case 'retired_key':
      return `retired since ${shortTime(item.since)}`
    default:
      return item satisfies never
  }
}

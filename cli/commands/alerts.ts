import type { Command } from 'commander'
import { registerAlertsList } from './alerts-list.ts'
import { registerAlertsMark } from './alerts-mark.ts'
import { registerAlertsShow } from './alerts-show.ts'

/** `keywatch alerts …`: what was found, and what people say of it. */
export function registerAlerts(program: Command) {
  const alerts = program
    .command('alerts')
    .description('what was found: list it, show one in full, say whether it was right')
  registerAlertsList(alerts)
  registerAlertsShow(alerts)
  registerAlertsMark(alerts)
}

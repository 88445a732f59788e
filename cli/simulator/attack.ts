import { boughtList } from './audience.ts'
import type { AttackName, KeyProfile } from './key-profile.ts'
import { AppError } from '#shared/runtime/app-error.ts'

export type AttackPlan = {
  readonly attack: AttackName
  /** Name of the stolen key. */
  readonly key: string
  readonly fromMs: number
  readonly durationMs: number
}

/** The key that is stolen unless another one is named: little traffic of its own, and a source of its own. */
export const DEFAULT_VICTIM = 'billing-invoices'

/**
 * Who misuses the key, as one more member of the fleet: a script that sends 4 to 8 messages a second to a bought
 * list, through SMTP, without the owner's custom arguments, template, category and pool, with a link to a
 * look-alike site.
 *
 * On a source that is declared to be one key's, the events still belong to that key. Elsewhere they name no key.
 * Throws the AppError `CONFIG_INVALID` for a key that the fleet does not have.
 */
export function thiefOf(fleet: readonly KeyProfile[], plan: AttackPlan): KeyProfile {
  const victim = fleet.find(({ name }) => name === plan.key)
  if (victim === undefined) {
    const names = fleet.map(({ name }) => name).join(', ')
    throw new AppError('CONFIG_INVALID', `There is no key ${plan.key} to steal; the fleet has ${names}.`, {
      retriable: false,
    })
  }
  return {
    name: victim.name,
    attack: plan.attack,
    source: victim.source,
    habit: {
      kind: 'burst',
      fromMs: plan.fromMs,
      durationMs: plan.durationMs,
      messagesPerSecondMin: 4,
      messagesPerSecondMax: 8,
    },
    content: {
      categories: [[[], 1]],
      templates: [],
      customArguments: {},
      senderDomain: victim.content.senderDomain,
      links: ['https://acme-secure-login.example/verify?session=expired'],
      smtpIdHosts: ['vps-81724.hosting.example'],
    },
    audience: { size: 3_000_000, domains: boughtList },
    listQuality: 'bought',
    rates: {
      drop: 0.05,
      bounce: 0.14,
      defer: 0.06,
      open: 0.2,
      openMedianMinutes: 4,
      machineOpen: 0.1,
      click: 0.3,
      spamReport: 0.02,
      spamReportMedianMinutes: 3,
      unsubscribe: 0,
    },
  }
}

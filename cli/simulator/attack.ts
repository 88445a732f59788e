import { boughtList } from './audience.ts'
import type { KeyProfile } from './key-profile.ts'
import { AppError } from '#shared/runtime/app-error.ts'

/** Attacks that `--attack` names. */
export const attackNames = ['stolen-key'] as const
export type AttackName = (typeof attackNames)[number]

export type AttackPlan = {
  readonly attack: AttackName
  /** Name of the stolen key. */
  readonly key: string
  readonly fromMs: number
  readonly durationMs: number
}

/** The key that is stolen unless another one is named: little traffic of its own, and a source of its own. */
export const DEFAULT_VICTIM = 'billing-invoices'

/** The key that is stolen. Throws the AppError `CONFIG_INVALID` for a key that the fleet does not have. */
export function victimOf<Profile extends KeyProfile<string>>(
  fleet: readonly Profile[],
  key: string,
): Profile {
  const victim = fleet.find(({ name }) => name === key)
  if (victim !== undefined) return victim
  const names = fleet.map(({ name }) => name).join(', ')
  throw new AppError('CONFIG_INVALID', `There is no key ${key} to steal; the fleet has ${names}.`, {
    retriable: false,
  })
}

/**
 * Who misuses a key, as one more member of its fleet: a script that sends 4 to 8 messages a second to a bought
 * list, through SMTP, without the owner's custom arguments, template, category and pool, with a link to a
 * look-alike site.
 *
 * On a source that is declared to be one key's, the events still belong to that key. Elsewhere they name no key.
 * `id` names the thief's random streams.
 */
export function stolenKeyThief<Source extends string>(
  victim: KeyProfile<Source>,
  plan: { readonly id: string; readonly fromMs: number; readonly durationMs: number },
): KeyProfile<Source> {
  return {
    name: victim.name,
    scenario: plan.id,
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

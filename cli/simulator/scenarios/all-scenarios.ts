import { burstAttacks } from './attacks-burst.ts'
import { keyAttacks } from './attacks-key.ts'
import { outcomeAttacks } from './attacks-outcome.ts'
import { slowAttacks } from './attacks-slow.ts'
import { changeLookAlikes } from './benign-change.ts'
import { deliveryLookAlikes } from './benign-delivery.ts'
import { volumeLookAlikes } from './benign-volume.ts'
import type { Scenario } from './scenario.ts'

export const attacks: readonly Scenario[] = [
  ...burstAttacks,
  ...slowAttacks,
  ...outcomeAttacks,
  ...keyAttacks,
]

export const lookAlikes: readonly Scenario[] = [
  ...volumeLookAlikes,
  ...changeLookAlikes,
  ...deliveryLookAlikes,
]

export const allScenarios: readonly Scenario[] = [...attacks, ...lookAlikes]

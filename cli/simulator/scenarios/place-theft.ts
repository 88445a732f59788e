import { victimOf, type AttackPlan } from '../attack.ts'
import type { KeyProfile } from '../key-profile.ts'
import { planTheft, stolenKey } from './attacks-burst.ts'
import type { PlacedScenario } from './place-scenarios.ts'

/**
 * The theft of a key at a given time, for a given time. Throws the AppError `CONFIG_INVALID` for a key that the fleet
 * does not have.
 */
export function placeTheft(fleet: readonly KeyProfile<string>[], theft: AttackPlan): PlacedScenario {
  const { attack: id, key, fromMs, durationMs } = theft
  return {
    id,
    scenario: stolenKey,
    plan: planTheft({ id, victim: victimOf(fleet, key), fromMs, durationMs }),
  }
}

import { defaultDetectionSettings, type DetectionSettings } from '#shared/detection/detection-settings.ts'
import type { Knowledge } from '#shared/domain/knowledge.ts'
import type { Config } from './config.ts'
import type { DetectionConfig } from './detection-config.ts'

const DAYS_PER_YEAR = 365.25

/**
 * The engine's settings as configured. `live_keys_max` is the whole detector's: a driver that runs several engines
 * shares it out.
 */
export function detectionSettingsOf(config: Pick<Config, 'detection' | 'detector'>): DetectionSettings {
  const { detection } = config
  return {
    ...defaultDetectionSettings,
    ...floorsOf(detection),
    ...errorBudget(detection),
    unattributedMin: detection.unattributed_min,
    unattributedShareMax: detection.unattributed_share_max,
    unattributedHistoryMin: detection.unattributed_history_min,
    criticalUnattributed: detection.critical_unattributed,
    silenceSurprise: detection.silence_surprise,
    silenceExpectedMin: detection.silence_expected_min,
    liveKeysMax: config.detector.live_keys_max,
  }
}

/** How many days lie between two pages that a key's own chance alone brings about. */
function errorBudget({ false_pages_per_key_year }: DetectionConfig): { readonly pageEveryDays: number } {
  return { pageEveryDays: DAYS_PER_YEAR / false_pages_per_key_year }
}

/** Answers the settings of one key; the very same object for every key without any of its own. */
export type SettingsOfKey = (source: string, key: string) => DetectionSettings

/** `settings`, with what `detection.keys` says of a key of one source (`source/key`) or else of its name. */
export function keySettingsOf(config: Pick<Config, 'detection'>, settings: DetectionSettings): SettingsOfKey {
  const own = new Map(
    Object.entries(config.detection.keys).map(([name, floors]) => [
      name,
      { ...settings, ...floorsOf(floors) },
    ]),
  )
  if (own.size === 0) return () => settings
  return (source, key) => own.get(`${source}/${key}`) ?? own.get(key) ?? settings
}

/** What the configuration knows of keys, to stand in one book with what people have stated. */
export function configuredKnowledge(config: Pick<Config, 'detection'>): Knowledge[] {
  return config.detection.retired_keys.map(({ source, key, since }, index) => ({
    kind: 'retired_key',
    knowledge_id: `configured-${index}`,
    source,
    key,
    since,
    author: 'configuration',
    note: '',
    created_at: since,
    revoked: false,
  }))
}

type Floors = Pick<
  DetectionSettings,
  'excessMin' | 'excessOfBusyHour' | 'ratioMin' | 'youngKeyBurst' | 'criticalExcess'
>

/** Only what is there, so that it can be laid over other settings. */
function floorsOf(given: DetectionConfig['keys'][string]): Partial<Floors> {
  const { excess_min, excess_of_busy_hour, ratio_min, young_key_burst, critical_excess } = given
  return {
    ...(excess_min === undefined ? {} : { excessMin: excess_min }),
    ...(excess_of_busy_hour === undefined ? {} : { excessOfBusyHour: excess_of_busy_hour }),
    ...(ratio_min === undefined ? {} : { ratioMin: ratio_min }),
    ...(young_key_burst === undefined ? {} : { youngKeyBurst: young_key_burst }),
    ...(critical_excess === undefined ? {} : { criticalExcess: critical_excess }),
  }
}

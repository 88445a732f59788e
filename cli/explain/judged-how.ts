import type { DetectionSettings } from '#shared/detection/detection-settings.ts'
import type { Signal } from '#shared/domain/alert.ts'

type Told = (settings: DetectionSettings) => string

/** How the signals are judged that are not about what one key does. */
const judged: Readonly<Partial<Record<Signal, Told>>> = {
  'source.silent': ({ silenceSurprise, silenceExpectedMin }) =>
    'The time since the last event is compared with what the same hours of the week never fell below in three weeks or ' +
    `more. It takes a surprise of ${silenceSurprise} (detection.silence_surprise), ${silenceExpectedMin} events that were ` +
    "due (detection.silence_expected_min), and far more than was due in the source's own longest pauses. It is info while " +
    'it is short, and critical once it is long: the sooner, the more was due.',
  'fleet.shift': () =>
    'Keys with evidence that opened together are counted: moderate evidence within 10 minutes, on a fifth of the live keys, ' +
    'or strong evidence within half an hour; three keys at least. How many coincide usually is learnt from the last three ' +
    'weeks; a surprise of 5 is needed. A warning where what they send is strange, or no simple cause fits.',
  'key.new': () =>
    'Every key that sends for the first time is told once, from the second day of its source on. More than 5 within an hour ' +
    'share one notice; more than 15 are a warning.',
  'key.overflow': ({ liveKeysMax }) =>
    `A detector judges ${liveKeysMax.toLocaleString('en')} keys at most (detector.live_keys_max, shared out over the ` +
    'partitions); further ones are stored and not judged. One notice an hour.',
  'account.status_changed': () => "SendGrid's own event account_status_change: critical at once.",
  'schema.unknown_field': () =>
    'A field whose name begins with sg_ and that Keywatch does not know, or a new type of event: one notice for each name ' +
    'and source; after five a day one for all others.',
  'pipeline.lag': () =>
    'The oldest record of a partition that is not handled yet is compared with detector.lag_warning_seconds; it is over ' +
    'below half of that.',
  'pipeline.test': () => 'A person asked for it.',
}

/** Undefined for signals that a key's own state explains. */
export function judgedHow(signal: Signal, settings: DetectionSettings): string | undefined {
  return judged[signal]?.(settings)
}

import { z } from 'zod'
import type { ContentDescription, KeyDescription } from '#shared/detection/explain-key.ts'
import type { OutcomesDescription } from '#shared/detection/outcomes/outcome-watch.ts'
import type { VolumeDescription, WindowDescription } from '#shared/detection/volume/describe-volume.ts'
import { describeNumber, describePercent } from '#shared/domain/number-text.ts'
import { shortTime, tableOf, type Column } from '../output/table.ts'
import { pairs, points, section } from './section.ts'

/** What the key usually does, and how its latest windows, outcomes and contents compare with that. */
export function habitsText({ volume, outcomes, content }: KeyDescription): string[] {
  const isSeen = 'windows' in volume
  return [
    ...section('Volume: what is usual', isSeen ? baselineLines(volume) : ['no message yet']),
    ...(isSeen
      ? section(
          `Volume: windows that end ${shortTime(volume.at)}, the key's latest message`,
          tableOf(windowColumns, volume.windows).split('\n'),
        )
      : []),
    ...section('What becomes of its messages', outcomeLines(outcomes)),
    ...section('What it sends and to whom', contentLines(content)),
  ]
}

function baselineLines(volume: VolumeDescription): string[] {
  const { messages_this_hour, expected_this_hour, busiest_usual_hour, active_days } = volume
  return pairs([
    [
      'this hour',
      `${describeNumber(messages_this_hour)} messages, ${describeNumber(expected_this_hour)} expected`,
    ],
    ['busiest usual hour', `${describeNumber(busiest_usual_hour)} messages`],
    [
      'history',
      `sends since ${shortTime(volume.sending_since)}, ${describeNumber(active_days)} active days, ` +
        `longest silence ${describeNumber(volume.longest_silence_hours)} h`,
    ],
    ['kind of key', kindText(volume)],
    ['by hour of the week', `${weekText(volume.expected_by_hour_of_week)} (sums from Monday to Sunday, UTC)`],
  ])
}

function kindText(volume: VolumeDescription): string {
  return [
    volume.judged_by_burst_rule_only ? 'too young for a baseline: only the burst rule judges it' : '',
    volume.still_learning ? 'still learning' : '',
    volume.works_in_bursts
      ? `sends in bursts (last sizes: ${volume.sends_before.slice(-5).map(describeNumber).join(', ') || 'none'})`
      : 'sends steadily',
    volume.sleeping_hour ? 'sleeps at this hour of the week' : '',
  ]
    .filter((part) => part !== '')
    .join('; ')
}

function weekText(hours: readonly number[]): string {
  const days = Array.from({ length: 7 }, (_, day) =>
    hours.slice(24 * day, 24 * day + 24).reduce((sum, messages) => sum + messages, 0),
  )
  return days.map((messages) => describeNumber(Math.round(messages))).join(' ')
}

const windowColumns: readonly Column<WindowDescription>[] = [
  { heading: 'WINDOW', text: ({ window }) => window },
  { heading: 'OBSERVED', text: ({ observed }) => describeNumber(observed), align: 'right' },
  { heading: 'EXPECTED', text: ({ expected }) => describeNumber(expected), align: 'right' },
  {
    heading: 'USUAL',
    text: ({ usual_low, usual_high }) => `${describeNumber(usual_low)} to ${describeNumber(usual_high)}`,
    align: 'right',
  },
  {
    heading: 'LARGEST',
    text: ({ largest_before_at_this_time }) => describeNumber(largest_before_at_this_time),
    align: 'right',
  },
  {
    heading: 'FROM',
    text: ({ looked_at_from }) => (looked_at_from === null ? 'never' : describeNumber(looked_at_from)),
    align: 'right',
  },
  { heading: 'SURPRISE', text: ({ surprise }) => points(surprise), align: 'right' },
  { heading: 'POINTS', text: ({ points: value }) => points(value), align: 'right' },
  { heading: 'DECIDED BY', text: ({ decided_by }) => decided_by },
]

type Share = OutcomesDescription['shares'][number]

const shareColumns: readonly Column<Share>[] = [
  { heading: 'SIGNAL', text: ({ signal }) => signal },
  { heading: 'MESSAGES THAT', text: ({ outcome }) => outcome },
  { heading: 'USUAL SHARE', text: ({ usual_share }) => describePercent(usual_share), align: 'right' },
  { heading: 'USUAL A DAY', text: ({ usual_a_day }) => describeNumber(usual_a_day), align: 'right' },
  { heading: 'NOW', text: nowText, align: 'right' },
  { heading: 'SURPRISE', text: ({ now }) => points(now?.points ?? 0), align: 'right' },
]

function nowText({ now }: Share): string {
  if (now === null) return 'as usual'
  const span = now.minutes % 60 === 0 ? `${now.minutes / 60} h` : `${now.minutes} min`
  return `${describeNumber(now.observed)} of ${describeNumber(now.cohort)} in ${span}`
}

function outcomeLines({ shares, link_domains, new_link_domains }: OutcomesDescription): string[] {
  const named = (hosts: readonly { readonly host: string }[]) => hosts.map(({ host }) => host).join(', ')
  return [
    ...tableOf(shareColumns, shares).split('\n'),
    ...pairs([
      ...(link_domains.length === 0 ? [] : [['links lead to', named(link_domains)] as const]),
      ...(new_link_domains.length === 0 ? [] : [['lately also to', named(new_link_domains)] as const]),
    ]),
  ]
}

const valuesSchema = z.array(
  z.object({ value: z.string(), share: z.number(), share_before: z.number().nullable() }),
)
type Value = z.output<typeof valuesSchema>[number] & { readonly field: string }

const valueColumns: readonly Column<Value>[] = [
  { heading: 'FIELD', text: ({ field }) => fieldText(field) },
  { heading: 'VALUE', text: ({ value }) => (value === '' ? '(none)' : value) },
  { heading: 'TODAY', text: ({ share }) => describePercent(share), align: 'right' },
  {
    heading: 'BEFORE',
    text: ({ share_before: before }) => (before === null ? '–' : describePercent(before)),
    align: 'right',
  },
]

/** `senderHost` and `recipient_domain` as words. */
function fieldText(field: string): string {
  return field.replaceAll('_', ' ').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function contentLines({
  active_days,
  messages,
  audience_points,
  stranger_share,
  top_values,
}: ContentDescription) {
  const values = Object.entries(top_values).flatMap(([field, listed]) =>
    (valuesSchema.safeParse(listed).data ?? []).map((value) => ({ field, ...value })),
  )
  return [
    ...pairs([
      ['learnt from', `${describeNumber(messages)} messages of ${describeNumber(active_days)} days`],
      [
        'recipients',
        `${describePercent(stranger_share)} were never mailed before, usually; the latest ones are worth ${points(audience_points)} points`,
      ],
    ]),
    ...(values.length === 0 ? [] : tableOf(valueColumns, values).split('\n')),
  ]
}

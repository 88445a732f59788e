import type { ArgumentKind, Content, KeyProfile, Span } from '../key-profile.ts'
import { staff } from '../audience.ts'
import { HOUR_MS } from '../habit.ts'
import { pick, plainText, type Random } from '../random.ts'
import { templateId } from '../usual-habits.ts'
import { moreOf } from './benign-volume.ts'
import { between, wholeBetween } from './draw.ts'
import { habitOf } from './fleet-keys.ts'
import { DAY_MS, homeZone, MINUTE_MS, nextLocalTime, WORKING_DAYS } from './local-time.ts'
import { alterKey, isNamedInMessages, targetOf, type Plan, type Scenario } from './scenario.ts'
import { messagesPerDay } from './usual-volume.ts'

const benign = (victim: KeyProfile<string>, span: Span): Plan => ({
  span,
  targets: [targetOf(victim)],
  family: 'sender',
  signals: [],
})

/** Otherwise nothing would be seen of it for days. */
const sendsEveryDay = ({ habit }: KeyProfile<string>) =>
  habit.kind === 'steady' || (habit.kind === 'batch' && habit.weekdays.length >= 5)

const deployment: Scenario = {
  name: 'deployment',
  kind: 'benign',
  about:
    'a new version of the software: a new template, sometimes a category and an argument more; the same recipients',
  suits: (profile, atMs) => sendsEveryDay(profile) && messagesPerDay(profile, atMs) >= 5,
  plan: ({ id, victim, atMs, endMs, random }) => {
    const weekdays = WORKING_DAYS
    const fromMs = nextLocalTime(atMs, homeZone(victim), {
      minuteOfDay: wholeBetween(random, 9 * 60, 17 * 60),
      weekdays,
    })
    if (fromMs > endMs - DAY_MS) return undefined
    const change = { scenario: id, fromMs, toMs: endMs, content: deployed(victim.content, random) }
    return {
      ...benign(victim, { fromMs, toMs: Math.min(endMs, fromMs + 2 * DAY_MS) }),
      alter: alterKey(victim, (profile) => ({ ...profile, changes: [...(profile.changes ?? []), change] })),
    }
  },
}

function deployed(content: Content, random: Random): Content {
  const name = `v${wholeBetween(random, 2, 9)}-${plainText(random, 6)}`
  const template = { id: templateId(name), name }
  const [first, ...others] = content.templates
  const templates: Content['templates'] =
    first === undefined ? [[template, 1]] : [[template, first[1]], ...(random.next() < 0.5 ? others : [])]
  const newCategory = random.next() < 0.4 ? [plainText(random, 7)] : []
  const categories = content.categories.map(
    ([names, weight]) => [[...names, ...newCategory], weight] as const,
  )
  const kind = pick(random, ['uuid', 'integer', 'hex'] as const)
  const more: Record<string, ArgumentKind> =
    random.next() < 0.4 ? { [pick(random, ['trace_id', 'build', 'variant'])]: kind } : {}
  return { ...content, templates, categories, customArguments: { ...content.customArguments, ...more } }
}

const newService: Scenario = {
  name: 'new-service',
  kind: 'benign',
  about: 'a new key with a habit of its own starts and stays',
  suits: () => true,
  plan: ({ id, victim, atMs, startMs, endMs, random }) => {
    const weekdays = WORKING_DAYS
    const fromMs = nextLocalTime(atMs, 'Europe/Berlin', {
      minuteOfDay: wholeBetween(random, 9 * 60, 16 * 60),
      weekdays,
    })
    if (fromMs > endMs - DAY_MS) return undefined
    const named = 'api_key_id' in victim.content.customArguments
    const naming = named ? 'argument' : isNamedInMessages(victim) ? 'category' : 'source'
    const source = naming === 'source' ? `own-${plainText(random, 5)}` : victim.source
    const name = `new-${plainText(random, 5)}`
    const born = habitOf({ name, source, naming, random, startMs })
    const profile: KeyProfile<string> = { ...born, scenario: id, active: { fromMs, toMs: endMs } }
    return {
      span: { fromMs, toMs: Math.min(endMs, fromMs + 7 * DAY_MS) },
      targets: [{ source, key: name }],
      family: 'key',
      signals: [],
      senders: [profile],
    }
  },
}

const marketingTest: Scenario = {
  name: 'marketing-test',
  kind: 'benign',
  about: 'a campaign is tried out on the staff: 5 to 30 mails marked [TEST], not at its usual hour',
  suits: ({ habit, content }) =>
    habit.kind === 'batch' &&
    habit.startMinutes.length <= 2 &&
    content.templates.length > 0 &&
    habit.sizeMedian >= 100,
  plan: ({ id, victim, atMs, random }) => {
    const minuteOfDay = wholeBetween(random, 9 * 60, 18 * 60)
    const fromMs = nextLocalTime(atMs, homeZone(victim), { minuteOfDay, weekdays: WORKING_DAYS })
    const rounds = wholeBetween(random, 1, 3)
    const { content } = victim
    const test: Content = {
      ...content,
      categories: content.categories.map(([names, weight]) => [[...names, '[TEST]'], weight] as const),
      ...(content.campaignName === undefined ? {} : { campaignName: `[TEST] ${content.campaignName}` }),
      ...(random.next() < 0.4
        ? { templates: [[{ id: templateId(`draft-${plainText(random, 6)}`), name: 'Draft' }, 1]] as const }
        : {}),
    }
    const total = wholeBetween(random, 5, 30)
    const senders = Array.from({ length: rounds }, (_, round) =>
      moreOf(victim, {
        id,
        part: `round ${round}`,
        habit: {
          kind: 'run',
          fromMs: Math.floor(fromMs + round * between(random, 10, 40) * MINUTE_MS),
          messages: Math.max(1, Math.round(total / rounds)),
          messagesPerSecond: between(random, 0.5, 5),
          recipientsPerSend: 1,
        },
        content: test,
        audience: { size: 12, domains: staff },
        audienceOf: 'the marketing team',
        rates: { ...victim.rates, bounce: 0, drop: 0, spamReport: 0, open: 0.7, openMedianMinutes: 6 },
      }),
    )
    return { ...benign(victim, { fromMs, toMs: fromMs + 2 * HOUR_MS }), family: 'audience', senders }
  },
}

export const changeLookAlikes: readonly Scenario[] = [deployment, newService, marketingTest]

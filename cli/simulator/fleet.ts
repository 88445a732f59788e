import { businesses, europeanConsumers } from './audience.ts'
import type { Content, KeyProfile } from './key-profile.ts'
import { mainKeys } from './main-keys.ts'
import { BILLING_KEY } from './sources.ts'
import {
  apiHosts,
  BERLIN,
  EVERY_DAY,
  newsletter,
  officeDay,
  rest,
  steady,
  templateId,
  transactional,
} from './usual-habits.ts'

const billing: KeyProfile = {
  name: BILLING_KEY,
  source: 'billing',
  habit: steady({ messagesPerWeek: 1300, workingDay: officeDay, weekend: rest, zones: [[BERLIN, 1]] }),
  content: {
    categories: [[['invoice'], 1]],
    templates: [
      [{ id: templateId('invoice'), name: 'Invoice' }, 8],
      [{ id: templateId('payment-reminder'), name: 'Payment reminder' }, 2],
    ],
    customArguments: { invoice_id: 'integer', tenant: 'uuid' },
    pool: { name: 'billing', id: 402 },
    senderDomain: 'billing.acme.example',
    links: ['https://billing.acme.example/invoices'],
    smtpIdHosts: apiHosts,
  },
  audience: { size: 3000, domains: businesses },
  listQuality: 'kept',
  rates: { ...transactional, open: 0.66, openMedianMinutes: 55, click: 0.4 },
}

/** The marketing webhook's keys are named by a category, `key:NAME`, as the marketing tool allows no arguments. */
function marketingContent(key: string, campaignName: string): Content {
  return {
    categories: [[[`key:${key}`, 'marketing'], 1]],
    templates: [[{ id: templateId(key), name: campaignName }, 1]],
    customArguments: {},
    pool: { name: 'marketing', id: 118 },
    campaignName,
    senderDomain: 'news.acme.example',
    links: [
      'https://www.acme.example/offers',
      'https://www.acme.example/stories',
      'https://shop.acme.example/new',
    ],
    smtpIdHosts: apiHosts,
  }
}

const weeklyNewsletter: KeyProfile = {
  name: 'weekly-newsletter',
  source: 'marketing',
  habit: {
    kind: 'batch',
    weekdays: [4],
    startMinutes: [9 * 60 + 30],
    startJitterMinutes: 6,
    sizeMedian: 4500,
    sizeSigma: 0.12,
    messagesPerSecond: 6,
    zone: BERLIN,
    recipientsPerSend: 1000,
  },
  content: marketingContent('weekly-newsletter', 'Acme weekly'),
  audience: { size: 9000, domains: europeanConsumers },
  listQuality: 'kept',
  rates: newsletter,
}

const welcomeSeries: KeyProfile = {
  name: 'welcome-series',
  source: 'marketing',
  habit: {
    kind: 'batch',
    weekdays: EVERY_DAY,
    startMinutes: [10 * 60, 17 * 60],
    startJitterMinutes: 4,
    sizeMedian: 130,
    sizeSigma: 0.25,
    messagesPerSecond: 1,
    zone: BERLIN,
    recipientsPerSend: 1,
  },
  content: { ...marketingContent('welcome-series', 'Welcome to Acme'), asmGroupId: 20_417 },
  audience: { size: 400_000, domains: europeanConsumers },
  listQuality: 'kept',
  rates: { ...newsletter, open: 0.38 },
}

/**
 * The keys of one invented organisation and their habits: about 145,000 messages and 425,000 events in 28 days.
 * Keys on `main` are named by the custom argument `api_key_id`, those on `marketing` by a category `key:NAME`, and
 * `billing` is declared to be one key's.
 */
export const defaultFleet: readonly KeyProfile[] = [...mainKeys, billing, weeklyNewsletter, welcomeSeries]

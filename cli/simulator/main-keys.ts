import { americanConsumers, businesses, europeanConsumers, staff } from './audience.ts'
import type { ArgumentKind, Content, KeyProfile } from './key-profile.ts'
import {
  apiHosts,
  aroundTheClock,
  BERLIN,
  consumerDay,
  EVERY_DAY,
  NEW_YORK,
  officeDay,
  rest,
  scaled,
  steady,
  templateId,
  transactional,
} from './usual-habits.ts'

/** Content of a service on the main account: its key's name travels as a custom argument. */
function serviceContent(
  key: string,
  template: string,
  more: Partial<Content> & { readonly arguments: Readonly<Record<string, ArgumentKind>> },
): Content {
  const { arguments: customArguments, ...others } = more
  return {
    categories: [[[key], 1]],
    templates: [[{ id: templateId(template), name: template }, 1]],
    pool: { name: 'transactional', id: 210 },
    senderDomain: 'mail.acme.example',
    links: ['https://www.acme.example/account', 'https://www.acme.example/help'],
    smtpIdHosts: apiHosts,
    ...others,
    customArguments: { api_key_id: { oneOf: [key] }, ...customArguments },
  }
}

const orders: KeyProfile = {
  name: 'orders-web',
  source: 'main',
  habit: steady({
    messagesPerWeek: 5600,
    workingDay: consumerDay,
    weekend: scaled(consumerDay, 0.8),
    zones: [[BERLIN, 1]],
  }),
  content: serviceContent('orders-web', 'order-confirmation', {
    arguments: { order_id: 'integer', customer_id: 'uuid' },
    templates: [
      [{ id: templateId('order-confirmation'), name: 'Order confirmation' }, 7],
      [{ id: templateId('order-changed'), name: 'Order changed' }, 2],
      [{ id: templateId('refund'), name: 'Refund' }, 1],
    ],
    links: ['https://shop.acme.example/orders', 'https://shop.acme.example/returns'],
  }),
  audience: { size: 60_000, domains: europeanConsumers },
  listQuality: 'kept',
  rates: transactional,
}

const signup: KeyProfile = {
  name: 'account-signup',
  source: 'main',
  habit: steady({
    messagesPerWeek: 2300,
    workingDay: consumerDay,
    weekend: scaled(consumerDay, 0.6),
    zones: [[BERLIN, 1]],
  }),
  content: serviceContent('account-signup', 'Confirm your address', {
    arguments: { signup_id: 'uuid' },
    categories: [[['account-signup', 'onboarding'], 1]],
    links: ['https://www.acme.example/confirm'],
  }),
  // Strangers by nature: hardly anybody signs up twice.
  audience: { size: 5_000_000, domains: europeanConsumers },
  listQuality: 'kept',
  rates: { ...transactional, bounce: 0.018, open: 0.62, click: 0.7 },
}

const passwordReset: KeyProfile = {
  name: 'password-reset',
  source: 'main',
  habit: steady({
    messagesPerWeek: 2400,
    workingDay: aroundTheClock,
    weekend: scaled(aroundTheClock, 0.85),
    zones: [[BERLIN, 1]],
  }),
  content: serviceContent('password-reset', 'Reset your password', {
    arguments: { request_id: 'uuid' },
    links: ['https://www.acme.example/reset'],
  }),
  audience: { size: 900_000, domains: europeanConsumers },
  listQuality: 'kept',
  rates: { ...transactional, open: 0.75, openMedianMinutes: 2, click: 0.85 },
}

const support: KeyProfile = {
  name: 'support-desk',
  source: 'main',
  habit: steady({ messagesPerWeek: 2000, workingDay: officeDay, weekend: rest, zones: [[BERLIN, 1]] }),
  content: serviceContent('support-desk', 'Reply to your ticket', {
    arguments: { ticket_id: 'integer', agent: { oneOf: ['anna', 'ben', 'chris', 'dana'] } },
    categories: [
      [['support-desk'], 8],
      [['support-desk', 'survey'], 2],
    ],
    links: ['https://help.acme.example/tickets'],
  }),
  audience: { size: 20_000, domains: businesses },
  listQuality: 'kept',
  rates: { ...transactional, open: 0.7 },
}

const shipping: KeyProfile = {
  name: 'shipping-updates',
  source: 'main',
  habit: {
    kind: 'batch',
    weekdays: [1, 2, 3, 4, 5, 6],
    // Every hour from 06:05 to 21:05.
    startMinutes: Array.from({ length: 16 }, (_, index) => (6 + index) * 60 + 5),
    startJitterMinutes: 1,
    sizeMedian: 36,
    sizeSigma: 0.35,
    messagesPerSecond: 3,
    zone: BERLIN,
    recipientsPerSend: 1,
  },
  content: serviceContent('shipping-updates', 'Your parcel is on its way', {
    arguments: { shipment_id: 'hex', carrier: { oneOf: ['dhl', 'ups', 'post'] } },
    links: ['https://track.acme.example/parcel'],
  }),
  audience: { size: 60_000, domains: europeanConsumers },
  listQuality: 'kept',
  rates: { ...transactional, open: 0.6, click: 0.5 },
}

const nightly: KeyProfile = {
  name: 'nightly-statements',
  source: 'main',
  habit: {
    kind: 'batch',
    weekdays: EVERY_DAY,
    startMinutes: [2 * 60],
    startJitterMinutes: 9,
    sizeMedian: 700,
    sizeSigma: 0.12,
    messagesPerSecond: 2,
    zone: BERLIN,
    recipientsPerSend: 1,
  },
  content: serviceContent('nightly-statements', 'Your daily statement', {
    arguments: { batch_id: 'integer', account_id: 'integer' },
    pool: { name: 'batch', id: 311 },
    links: ['https://portal.acme.example/statements'],
  }),
  audience: { size: 1400, domains: businesses },
  listQuality: 'kept',
  rates: { ...transactional, open: 0.3, openMedianMinutes: 420, click: 0.1 },
}

const staffReports: KeyProfile = {
  name: 'staff-reports',
  source: 'main',
  habit: {
    ...steady({ messagesPerWeek: 8, workingDay: officeDay, weekend: rest, zones: [[BERLIN, 1]] }),
    dayShape: 4,
  },
  content: serviceContent('staff-reports', 'Weekly figures', {
    arguments: { report: { oneOf: ['sales', 'stock', 'returns'] } },
    links: ['https://intranet.acme.example/reports'],
  }),
  audience: { size: 25, domains: staff },
  listQuality: 'kept',
  rates: { ...transactional, drop: 0, bounce: 0, defer: 0.002, machineOpen: 0 },
}

const notifications: KeyProfile = {
  name: 'app-notifications',
  source: 'main',
  habit: steady({
    messagesPerWeek: 5200,
    workingDay: consumerDay,
    weekend: scaled(consumerDay, 0.7),
    zones: [
      [BERLIN, 0.55],
      [NEW_YORK, 0.45],
    ],
  }),
  content: serviceContent('app-notifications', 'Something happened', {
    arguments: { user_id: 'uuid', notification: { oneOf: ['comment', 'mention', 'reminder'] } },
    links: ['https://app.acme.example/inbox', 'https://app.acme.example/settings'],
    asmGroupId: 14_210,
  }),
  audience: { size: 30_000, domains: [...europeanConsumers, ...americanConsumers] },
  listQuality: 'kept',
  rates: { ...transactional, open: 0.35, openMedianMinutes: 25, unsubscribe: 0.004 },
}

const usShop: KeyProfile = {
  name: 'us-shop',
  source: 'main',
  habit: steady({
    messagesPerWeek: 3100,
    workingDay: consumerDay,
    weekend: scaled(consumerDay, 1.4),
    zones: [[NEW_YORK, 1]],
  }),
  content: serviceContent('us-shop', 'Thank you for your order', {
    arguments: { order_id: 'integer', store: { oneOf: ['us-east', 'us-west'] } },
    links: ['https://us.shop.acme.example/orders'],
  }),
  audience: { size: 40_000, domains: americanConsumers },
  listQuality: 'kept',
  rates: transactional,
}

/** The services of the main account, each with an API key of its own. */
export const mainKeys: readonly KeyProfile[] = [
  orders,
  signup,
  passwordReset,
  support,
  shipping,
  nightly,
  staffReports,
  notifications,
  usShop,
]

/** Second-level names under which country registries sell: `example.co.uk`. */
const registrySeconds: ReadonlySet<string> = new Set([
  'ac',
  'co',
  'com',
  'edu',
  'go',
  'gob',
  'gov',
  'ne',
  'net',
  'or',
  'org',
])

/**
 * Domains under which anybody gets a name, so that the whole name is one owner's. The commonest of the Public Suffix
 * List's private part.
 */
const sharedHosts: ReadonlySet<string> = new Set([
  'amazonaws.com',
  'appspot.com',
  'azurewebsites.net',
  'blogspot.com',
  'cloudfront.net',
  'firebaseapp.com',
  'fly.dev',
  'github.io',
  'gitlab.io',
  'glitch.me',
  'herokuapp.com',
  'netlify.app',
  'ngrok.io',
  'onrender.com',
  'pages.dev',
  'r2.dev',
  'vercel.app',
  'web.app',
  'webflow.io',
  'weebly.com',
  'windows.net',
  'wixsite.com',
  'wordpress.com',
  'workers.dev',
])

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/

/**
 * The part of a host name that somebody registered: `shop.example.co.uk` → `example.co.uk`. An approximation
 * without the Public Suffix List: names below a shared domain or a country's second level are told apart, those of
 * rarer registries are not. An address stands for itself.
 */
export function registrableDomain(host: string): string {
  if (IPV4.test(host) || host.startsWith('[')) return host
  const labels = host.split('.')
  const last = labels.at(-1) ?? ''
  const two = labels.slice(-2).join('.')
  if (sharedHosts.has(two)) return host
  const isSold = last.length === 2 && registrySeconds.has(labels.at(-2) ?? '')
  return isSold ? labels.slice(-3).join('.') : two
}

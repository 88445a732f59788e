import { cutText, describeAlert, type LabelledText } from '#shared/domain/alert-text.ts'
import type { Channel, Notification } from './channel.ts'
import type { PostJson } from './post-json.ts'

// Slack's limits, in characters: docs.slack.dev, "Blocks" and "Text object".
const HEADER_LENGTH_MAX = 150
const SECTION_LENGTH_MAX = 3000
const FIELD_LENGTH_MAX = 2000
const FIELDS_MAX = 10
const FALLBACK_LENGTH_MAX = 1000

/** Tells people in Slack, through an incoming webhook. */
export function createSlackChannel(posts: PostJson): Channel {
  return {
    send: (notification, signal) => posts.post(JSON.stringify(slackMessage(notification)), {}, signal),
    close: () => posts.close(),
  }
}

/**
 * The message as Slack blocks, all of it plain text: nothing that came from an event can mention anybody, make a
 * link, format, or draw an emoji. `& < >` are escaped as Slack asks for in every text.
 */
export function slackMessage({ alert, change }: Notification) {
  const text = describeAlert(alert, change)
  const sections = [
    { title: 'Evidence', lines: text.evidence.map((line) => `• ${line}`) },
    { title: 'What to do next', lines: text.nextSteps.map((step, index) => `${index + 1}. ${step}`) },
    { title: 'Links', lines: text.references.map(labelled) },
  ].filter(({ lines }) => lines.length > 0)
  return {
    // What notifications and old clients show; without the next three, Slack would look for names and links in it.
    text: escapeSlack(`${text.title}: ${text.sentence}`, FALLBACK_LENGTH_MAX),
    mrkdwn: false,
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plainText(text.title, HEADER_LENGTH_MAX) },
      { type: 'section', text: plainText(text.sentence, SECTION_LENGTH_MAX) },
      {
        type: 'section',
        fields: text.facts
          .slice(0, FIELDS_MAX)
          .map((fact) => plainText(`${fact.label}\n${fact.text}`, FIELD_LENGTH_MAX)),
      },
      ...sections.map(({ title, lines }) => ({
        type: 'section',
        text: plainText(`${title}\n${lines.join('\n')}`, SECTION_LENGTH_MAX),
      })),
    ],
  }
}

function labelled({ label, text }: LabelledText): string {
  return `${label}: ${text}`
}

function plainText(text: string, lengthMax: number) {
  return { type: 'plain_text', text: escapeSlack(text, lengthMax), emoji: false }
}

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
])

/** Cut after escaping and never inside an entity, so that the limit holds for what Slack counts. */
function escapeSlack(text: string, lengthMax: number): string {
  return cutText(text, lengthMax, (character) => ENTITIES.get(character) ?? character)
}

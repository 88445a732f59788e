/** The topics of the event log; see ARCHITECTURE.md for what each message holds. */
export const topics = {
  /** One message per event, keyed by the attributed API key. */
  events: 'sendgrid.events',
  /** What passed the signature but not the schema, with the reason. */
  rejected: 'sendgrid.rejected',
  /** One message per state change of an alert, keyed by the alert's id. */
  alerts: 'keywatch.alerts',
} as const

import { z } from 'zod'

const query = z.looseObject({ refId: z.string(), rawSql: z.string() })
const panel = z.looseObject({
  id: z.number(),
  type: z.string(),
  title: z.string().min(1),
  description: z.string().min(1),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(query).min(1),
  interval: z.string().optional(),
  fieldConfig: z.looseObject({ defaults: z.looseObject({ unit: z.string().optional() }) }),
})
const variable = z.looseObject({ name: z.string(), query: z.union([z.string(), query]) })

/** What the tests look at in a dashboard's JSON; everything else is for Grafana's own schema. */
export const dashboardFile = z.looseObject({
  uid: z.string().min(1),
  title: z.string(),
  panels: z.array(panel).min(1),
  templating: z.object({ list: z.array(variable) }),
})
export type DashboardPanel = z.output<typeof panel>

import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
  StackingConfigBuilder,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { DateTimeFromNow, PercentUnit, Short } from '@grafana/grafana-foundation-sdk/units'
import { clickhouseQuery, dataSource } from '../clickhouse-query.ts'
import {
  keysSql,
  keyTableSql,
  openAlertsSql,
  outcomeSharesSql,
  ratePerKeySql,
  sourcesSql,
  totalsSql,
} from './usage-sql.ts'

/** The first board: who sends how much, does it arrive, and is anything wrong. Headlines first, tables last. */
export function usagePerKeyDashboard(): Dashboard {
  return (
    new DashboardBuilder('Usage per key')
      .uid('keywatch-usage-per-key')
      .description('How much each SendGrid API key sends, what becomes of it, and which alerts are open.')
      .tags(['keywatch'])
      .timezone('utc')
      .time({ from: 'now-24h', to: 'now' })
      .refresh('1m')
      .readonly()
      .tooltip(DashboardCursorSync.Crosshair)
      .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type(dataSource.type))
      .withVariable(queryVariable('source', 'Source', sourcesSql))
      .withVariable(queryVariable('key', 'Key', keysSql))
      .withPanel(totalPanel(1, { field: 'messages', title: 'Messages', unit: Short }))
      .withPanel(totalPanel(2, { field: 'keys', title: 'Active keys', unit: Short }))
      .withPanel(totalPanel(3, { field: 'delivered', title: 'Delivered', unit: PercentUnit }))
      // Where mailbox providers begin to look askance: bounces 2 and 5 %, complaints 0.1 and 0.3 %.
      .withPanel(
        totalPanel(4, { field: 'bounced', title: 'Bounced', unit: PercentUnit, lookAt: [0.02, 0.05] }),
      )
      .withPanel(
        totalPanel(5, {
          field: 'spam_reports',
          title: 'Spam reports',
          unit: PercentUnit,
          lookAt: [0.001, 0.003],
        }),
      )
      .withPanel(openAlertsPanel(6))
      .withPanel(
        ratePanel(7, {
          title: 'Messages per minute',
          description: 'Messages that SendGrid took, per key; the ten busiest. From usage_minute.',
          sql: ratePerKeySql({ table: 'usage_minute', event: 'processed' }),
          interval: '1m',
        }),
      )
      .withPanel(
        ratePanel(8, {
          title: 'Messages per hour',
          description: 'Messages that SendGrid took, per key; the ten busiest. From usage_hour.',
          sql: ratePerKeySql({ table: 'usage_hour', event: 'processed' }),
          interval: '1h',
        }),
      )
      .withPanel(outcomesPanel(9))
      .withPanel(
        ratePanel(10, {
          title: 'Bounces per hour',
          description: 'Bounced messages per key; the ten with the most. From usage_hour.',
          sql: ratePerKeySql({ table: 'usage_hour', event: 'bounce' }),
          interval: '1h',
        }),
      )
      .withPanel(keyTablePanel(11))
      .build()
  )
}

function queryVariable(name: string, label: string, rawSql: string) {
  return (
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(dataSource)
      .query({ refId: name, queryType: 'sql', rawSql })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      // The query's own order counts.
      .sort(VariableSort.Disabled)
      .multi(true)
      .includeAll(true)
      .allowCustomValue(false)
      .current({ text: 'All', value: '$__all' })
  )
}

function totalPanel(
  id: number,
  options: {
    readonly field: 'messages' | 'keys' | 'delivered' | 'bounced' | 'spam_reports'
    readonly title: string
    readonly unit: string
    /** From the first value on orange, from the second on red. */
    readonly lookAt?: readonly [number, number]
  },
) {
  const { field, title, unit, lookAt } = options
  const [orange, red] = lookAt ?? []
  const steps = [
    { value: null, color: 'text' },
    ...(orange === undefined ? [] : [{ value: orange, color: 'orange' }]),
    ...(red === undefined ? [] : [{ value: red, color: 'red' }]),
  ]
  return new StatBuilder()
    .id(id)
    .title(title)
    .description(`Of the chosen keys in the chosen time; shares are of the messages. From usage_hour.`)
    .datasource(dataSource)
    .withTarget(clickhouseQuery('table', totalsSql))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields(`/^${field}$/`))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .unit(unit)
    .noValue('0')
    .span(field === 'messages' ? 8 : 4)
    .height(4)
}

function ratePanel(
  id: number,
  options: {
    readonly title: string
    readonly description: string
    readonly sql: string
    /** The grain of the rollup: finer buckets would be empty in between. */
    readonly interval: '1m' | '1h'
  },
) {
  return seriesPanel(id)
    .title(options.title)
    .description(options.description)
    .withTarget(clickhouseQuery('timeseries', options.sql))
    .displayName('${__field.labels.label}')
    .interval(options.interval)
    .unit(Short)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
}

function outcomesPanel(id: number) {
  return seriesPanel(id)
    .title('Outcomes')
    .description(
      'Of the messages whose fate was told: the share delivered, bounced and dropped. From usage_hour.',
    )
    .withTarget(clickhouseQuery('timeseries', outcomeSharesSql))
    .interval('1h')
    .unit(PercentUnit)
    .max(1)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
}

function seriesPanel(id: number) {
  return new TimeSeriesBuilder()
    .id(id)
    .datasource(dataSource)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70)
    .lineWidth(0)
    .min(0)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .span(12)
    .height(9)
}

function openAlertsPanel(id: number) {
  return new TableBuilder()
    .id(id)
    .title('Open alerts')
    .description('The present state of every open alert, whenever it began. From alert_changes.')
    .datasource(dataSource)
    .withTarget(clickhouseQuery('table', openAlertsSql))
    .overrideByName('Since', [{ id: 'unit', value: DateTimeFromNow }])
    .overrideByName('Summary', [{ id: 'custom.width', value: 700 }])
    .noValue('No open alert')
    .span(24)
    .height(7)
}

function keyTablePanel(id: number) {
  return new TableBuilder()
    .id(id)
    .title('Keys')
    .description(
      'Every key that was active in the chosen time; the first and last use are of its whole life. From usage_hour and key_activity.',
    )
    .datasource(dataSource)
    .withTarget(clickhouseQuery('table', keyTableSql))
    .unit(Short)
    .overrideByRegexp('/^(Delivered|Bounced)$/', [{ id: 'unit', value: PercentUnit }])
    .overrideByRegexp('/seen$/', [{ id: 'unit', value: DateTimeFromNow }])
    .span(24)
    .height(12)
}

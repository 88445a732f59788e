import { visibleText } from '#shared/domain/alert-text.ts'

export type Column<Row> = {
  readonly heading: string
  readonly text: (row: Row) => string
  /** Numbers are easier to compare at the right. */
  readonly align?: 'right'
  /** Longer text ends in `…`; in UTF-16 units. */
  readonly lengthMax?: number
}

const LENGTH_MAX = 48
const GAP = '  '

/**
 * Rows under their headings, one line each. What a row holds may come from a stranger, so nothing in it can drive the
 * terminal or hide.
 */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) =>
    columns.map(({ text, lengthMax = LENGTH_MAX }) => visibleText(text(row), lengthMax)),
  )
  const headings = columns.map(({ heading }) => heading)
  const widths = columns.map((_, place) =>
    [headings, ...cells].reduce((width, line) => Math.max(width, line[place]?.length ?? 0), 0),
  )
  return [headings, ...cells]
    .map((line) =>
      line
        .map((text, place) => {
          const width = widths[place] ?? 0
          return columns[place]?.align === 'right' ? text.padStart(width) : text.padEnd(width)
        })
        .join(GAP)
        .trimEnd(),
    )
    .join('\n')
}

/** `2026-03-01 09:30`, UTC; a dash where there is no time. */
export function shortTime(iso: string | null | undefined): string {
  return iso === null || iso === undefined ? '–' : new Date(iso).toISOString().slice(0, 16).replace('T', ' ')
}

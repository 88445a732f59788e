import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMigrations } from './migration-files.ts'
import { expandMigration, splitStatements } from './migration-statements.ts'

describe('splitStatements', () => {
  it('drops comments between statements and keeps those within', () => {
    const script = "-- first; one\nSELECT 1 -- a;\n, 2;\n/* between; */\n\nSELECT ';';;\n-- the end;"
    expect(splitStatements(script)).toEqual(['SELECT 1 -- a;\n, 2', "SELECT ';'"])
  })

  it('finds the statements that were joined, whatever their strings and comments hold', () => {
    const hidden = fc.string({ unit: fc.constantFrom(';', 'a', ' ', '\n', '-', '"', '`') })
    const statement = hidden.map(
      (text) => `SELECT '${text}' AS "${text.replaceAll('"', '')}" /* ${text} */ FROM t`,
    )
    const separator = hidden.map((text) => `;\n-- ${text.replaceAll('\n', '')}\n/* ${text} */`)
    fc.assert(
      fc.property(fc.array(fc.tuple(statement, separator)), (parts) => {
        expect(splitStatements(parts.flat().join(''))).toEqual(parts.map(([text]) => text))
      }),
      { seed: 2 },
    )
  })
})

describe('expandMigration', () => {
  it('fills in for one server', () => {
    const template =
      'CREATE {{on_cluster}} {{engine}}MergeTree{{engine_arguments}} {{raw_retention_days}} {{deduplication_window}}'
    expect(expandMigration(template, { rawRetentionDays: 7 })).toBe(
      'CREATE  MergeTree() 7 non_replicated_deduplication_window = 10000',
    )
  })

  it('fills in for a cluster', () => {
    const template =
      '{{on_cluster}} {{engine}}SummingMergeTree{{engine_arguments:events}} {{deduplication_window}}'
    expect(expandMigration(template, { cluster: 'main', rawRetentionDays: 7 })).toBe(
      "ON CLUSTER 'main' ReplicatedSummingMergeTree(events) replicated_deduplication_window = 10000",
    )
  })

  it.each(['{{unknown}}', '{{engine:x}}'])('refuses %s', (template) => {
    expect(() => expandMigration(template, { rawRetentionDays: 7 })).toThrow(/placeholder/)
  })

  it('leaves no placeholder in any migration', () => {
    for (const { template } of readMigrations()) {
      expect(expandMigration(template, { rawRetentionDays: 7 })).not.toMatch(/\{\{/)
    }
  })
})

describe('readMigrations', () => {
  it('numbers them without a gap, each with the checksum of its template', () => {
    const migrations = readMigrations()
    expect(migrations.map(({ name }) => Number(name.slice(0, 4)))).toEqual(
      migrations.map((_, index) => index + 1),
    )
    for (const { name, checksum } of migrations) {
      expect(name).toMatch(/^\d{4}_[a-z0-9_]+\.sql$/)
      expect(checksum).toMatch(/^[0-9a-f]{64}$/)
    }
  })
})

const TEXT = 'text/plain; charset=UTF-8'

/** Content types as ClickHouse's output formats declare them; all others are plain text or, if binary, octets. */
const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^(CSV)$/i, 'text/csv; charset=UTF-8; header=absent'],
  [/^CSVWithNames/i, 'text/csv; charset=UTF-8; header=present'],
  [/^(TSV|TabSeparated)/i, 'text/tab-separated-values; charset=UTF-8'],
  [/^JSON(Each|Lines|Compact.*EachRow|StringsEachRow)/i, 'application/x-ndjson; charset=UTF-8'],
  [/^NDJSON$/i, 'application/x-ndjson; charset=UTF-8'],
  [/JSON/i, 'application/json; charset=UTF-8'],
  [/^XML$/i, 'application/xml; charset=UTF-8'],
  [/^Markdown$/i, 'text/markdown; charset=UTF-8'],
  [
    /^(Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack|Protobuf|CapnProto|BSON|Npy|RawBLOB)/i,
    'application/octet-stream',
  ],
]

export function contentType(format: string): string {
  return CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? TEXT
}

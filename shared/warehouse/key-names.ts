import type { KeyName } from './usage-store.ts'

/** ClickHouse reads a statement of at most 256 KiB; base64 makes 4 characters of 3 bytes, and names may stand twice. */
const GROUP_BYTES_MAX = 80_000
/** Brackets, quotes, commas, and the numbers that may stand beside a name. */
const NAME_BYTES = 60

/** Keys in groups of at most `keysMax`, whose names fit twice into one statement. */
export function* namesInGroups<Named extends KeyName>(
  keys: Iterable<Named>,
  keysMax: number,
): Generator<Named[], void, void> {
  let group: Named[] = []
  let bytes = 0
  for (const named of keys) {
    const size = NAME_BYTES + jsonBytes(named.source) + jsonBytes(named.key)
    if (group.length >= keysMax || (group.length > 0 && bytes + size > GROUP_BYTES_MAX)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(named)
    bytes += size
  }
  if (group.length > 0) yield group
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text), 'utf8')
}

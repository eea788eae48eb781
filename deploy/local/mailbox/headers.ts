/** A header field as it stands in a mail, unfolded but not decoded. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** A header section longer than this is cut, in bytes. */
const HEADERS_LIMIT_BYTES = 256 * 1024;

/** The header fields of a mail in their order (RFC 5322, section 2.2); invalid lines are skipped. */
export function headerFields(raw: Buffer): readonly HeaderField[] {
  const head = raw.subarray(0, HEADERS_LIMIT_BYTES).toString("utf8");
  const end = /\r?\n\r?\n/.exec(head)?.index ?? head.length;
  const unfolded = head.slice(0, end).replace(/\r?\n(?=[ \t])/g, "");
  return unfolded.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(":");
    if (colon < 1 || !/^[\x21-\x7e]+$/.test(line.slice(0, colon))) return [];
    return [{ name: line.slice(0, colon), value: line.slice(colon + 1).trim() }];
  });
}

/**
 * The fields in Mailpit's form: lists of values by name, spelled as Go spells it (`Message-Id`), in alphabetical order.
 */
export function headerLists(raw: Buffer): Readonly<Record<string, readonly string[]>> {
  const lists = Map.groupBy(headerFields(raw), ({ name }) => canonical(name));
  const sorted = [...lists].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, fields]) => [name, fields.map(({ value }) => value)]));
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

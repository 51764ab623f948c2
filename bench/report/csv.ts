/** Comma-separated values by RFC 4180. */

export type Field = string | number | null | undefined

/** What holds a comma, a quote or a line's end stands in quotes, and a quote in it twice (§2.6, §2.7). */
function field(value: Field): string {
  const text = value === null || value === undefined ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The first row is the header line; each row ends with CRLF (§2.1). */
export const csv = (rows: readonly (readonly Field[])[]): string => rows.map((row) => `${row.map(field).join(',')}\r\n`).join('')

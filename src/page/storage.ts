/** What this browser keeps for the page. Storage may be full or forbidden: then it is forgotten, and nothing else fails. */

/** `local` outlives the tab, `session` a reload. */
type Span = 'local' | 'session'

const storageOf = (span: Span): Storage => (span === 'local' ? localStorage : sessionStorage)

/** A key as the browser knows it, and tells other tabs of it. */
export const storedAs = (key: string): string => `fourwires.${key}`

export function recall(span: Span, key: string): string | undefined {
  try {
    return storageOf(span).getItem(storedAs(key)) ?? undefined
  } catch {
    return undefined
  }
}

/** Keeps `value`; an empty or absent one is forgotten. */
export function keep(span: Span, key: string, value: string | undefined): void {
  try {
    if (value) storageOf(span).setItem(storedAs(key), value)
    else storageOf(span).removeItem(storedAs(key))
  } catch {
    // Private windows, full disks: the page works on, for this visit.
  }
}

/** What is published on a channel: a hint of what can be read. Whoever shares the Redis may publish, another version of this program too. */

/** What it says, undefined where it says nothing: what it may be a hint of is found by looking. */
export function parseHint<Hint extends object>(text: string): Partial<Hint> | undefined {
  try {
    const hint: unknown = JSON.parse(text)
    return typeof hint === 'object' && hint !== null ? hint : undefined
  } catch {
    return undefined
  }
}

/** The bug gallery: bugs that others have had, each as a few wrong lines in place of right ones of ours. One file each, beside this one. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Lines of a source as they are, and as they would be with the bug. */
export interface Hunk {
  readonly right: string
  readonly wrong: string
}

export interface Bug {
  /** Its file here, without the ending. */
  readonly name: string
  readonly title: string
  /** What one believes, and what happens. */
  readonly story: string
  /** Who had it: `owner/repository#number`. */
  readonly seen: readonly string[]
  /** The file of src that it is a variant of. */
  readonly source: string
  readonly hunks: readonly Hunk[]
  /** The sentence of the suite that catches it, and what its failure says (lines of its message, or of its diff). */
  readonly caught: { readonly file: string; readonly sentence: string; readonly saying: string }
}

/** All of them, by name. */
export function bugs(): Bug[] {
  const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.md'))
  return files.toSorted().map((file) => parseBug(file.slice(0, -3), readFileSync(new URL(file, import.meta.url), 'utf8')))
}

const layout =
  /^# (?<title>.+)\n\n(?<story>[^]+?)\n\nSeen in (?<seen>.+)\.\n\nIn `(?<source>src\/\S+)`:\n\n```diff\n(?<diff>[^]+?)```\n\nCaught by `(?<file>test\/\S+)`:\n\n> (?<sentence>.+)\n\n```(?:diff|text)\n(?<saying>[^]+)\n```\n$/

/** @throws Error where the text is not laid out as the others */
export function parseBug(name: string, text: string): Bug {
  const { title, story, seen, source, diff, file, sentence, saying } = layout.exec(text)?.groups ?? {}
  if (!title || !story || !seen || !source || !diff || !file || !sentence || !saying)
    throw new Error(`${name}.md is not laid out as the others`)
  return {
    name,
    title,
    story: story.replaceAll('\n', ' '),
    seen: seen.split(/, | and /),
    source,
    hunks: diff.split(/^@@\n/m).map(parseHunk),
    caught: { file, sentence, saying },
  }
}

function parseHunk(diff: string): Hunk {
  const lines = diff.split('\n').slice(0, -1)
  const without = (sign: string): string =>
    lines
      .filter((line) => !line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`)
      .join('')
  return { right: without('+'), wrong: without('-') }
}

/**
 * The source with the bug.
 * @throws Error where the right lines do not stand in it, or more than once: the gallery would show what is no more
 */
export function withBug(bug: Bug, code: string): string {
  let text = code
  for (const { right, wrong } of bug.hunks) {
    const times = text.split(right).length - 1
    if (times !== 1) throw new Error(`the right lines of ${bug.name} stand ${times} times in ${bug.source}, not once:\n${right}`)
    text = text.replace(right, () => wrong)
  }
  return text
}

/** `npm run gallery`: the bugs, where their lines would stand, and what catches them; with `--run` whether it does. */
import { parseArgs, styleText } from 'node:util'
import { type Bug, bugs } from './gallery.ts'
import type { Verdict } from './run.ts'

const help = `npm run gallery -- [options] [name …]

Tells the bugs of test/gallery, or those that are named: the story, where it was seen, where the wrong lines would stand, and what catches them.

  --run        puts each into a copy of the source, and says whether it is caught, and by what: about a minute
  --json       the same as JSON on standard output, nothing else there (with npm run -s gallery)
  --help, -h   this text

Exit: 0 told, or all are caught · 1 one is not · 2 the command line is wrong.`

const { gallery, ...values } = commandLine()

function commandLine(): { readonly gallery: readonly Bug[]; readonly run: boolean; readonly json: boolean } {
  const flag = { type: 'boolean', default: false } as const
  try {
    const options = { run: flag, json: flag, help: { ...flag, short: 'h' } } as const
    const { values: given, positionals: names } = parseArgs({ allowPositionals: true, options })
    if (!given.help) return { ...given, gallery: named(names) }
    console.log(help)
    return process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\nTry: npm run gallery -- --help`)
    return process.exit(2)
  }
}

/** All where none is named. @throws Error for a name that none has */
function named(names: readonly string[]): readonly Bug[] {
  const all = bugs()
  const unknown = names.find((name) => !all.some((bug) => bug.name === name))
  if (unknown !== undefined) throw new Error(`There is no bug "${unknown}"; there are ${all.map(({ name }) => name).join(', ')}.`)
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}

/** Lines of at most so many characters, each indented. */
function wrapped(text: string, width = 100): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map((line) => `  ${line}\n`).join('')
}

function shown({ title, story, seen, source, caught }: Bug): string {
  return [
    `${styleText('bold', title)}\n`,
    wrapped(story),
    `  seen in    ${seen.join(', ')}\n`,
    `  wrong in   ${source}\n`,
    `  caught by  ${caught.file}: ${caught.sentence}\n`,
  ].join('')
}

function judged({ asItIs, withBug, said }: Verdict, { saying }: Bug['caught']): string {
  if (asItIs !== 'passed') return styleText('red', `  the sentence is ${asItIs} without the bug\n`)
  if (withBug !== 'failed') return styleText('red', `  not caught: the sentence is ${withBug}\n`)
  if (!said.includes(saying)) return styleText('red', `  caught, but not for what it is: ${said}\n`)
  return styleText('green', `  caught     ${said.split('\n')[0] ?? ''}\n`)
}

// To list them takes no runner.
const verdicts = values.run ? await (await import('./run.ts')).run(gallery) : []
if (values.json) process.stdout.write(`${JSON.stringify(values.run ? verdicts : gallery)}\n`)
else {
  for (const bug of gallery) {
    const verdict = verdicts.find(({ name }) => name === bug.name)
    process.stdout.write(`${shown(bug)}${verdict === undefined ? '' : judged(verdict, bug.caught)}\n`)
  }
  const caught = verdicts.filter(({ asItIs, withBug }) => asItIs === 'passed' && withBug === 'failed').length
  process.stdout.write(
    values.run ? `${caught} of ${gallery.length} caught\n` : `${gallery.length} of ${bugs().length} bugs; with --run each is tried\n`,
  )
  if (caught < verdicts.length) process.exitCode = 1
}

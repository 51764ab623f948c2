/** Runs the sentences that catch the bugs over src as it is, and each over src with its bug, exchanged as it is loaded. */
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { createVitest, type TestCase, type TestProject, type TestUserConfig } from 'vitest/node'
import { type Bug, root, withBug } from './gallery.ts'

/** What became of the sentence that is to catch a bug: `passed` with src as it is, `failed` with the bug, and what it said then. */
export interface Verdict {
  readonly name: string
  readonly asItIs: string
  readonly withBug: string
  readonly said: string
}

type Sentence = Bug['caught']
type Inline = NonNullable<TestUserConfig['projects']>[number]

const asItIs = 'as it is'

/** A project of which one source has been exchanged. */
const project = (name: string, bug?: Bug): Inline => ({
  root,
  plugins:
    bug === undefined
      ? []
      : [
          {
            name: 'bug',
            enforce: 'pre',
            transform: (code: string, id: string) => (id === join(root, bug.source) ? withBug(bug, code) : undefined),
          },
        ],
  test: { name, include: [], pool: 'threads', isolate: false, testTimeout: 20_000, hookTimeout: 20_000 },
})

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/** Runs one file, of it these sentences only. */
const specification = (where: TestProject, file: string, sentences: readonly Sentence[]) =>
  where.createSpecification(join(root, file), {
    testNamePattern: new RegExp(`^(?:${sentences.map(({ sentence }) => escaped(sentence.replaceAll(' > ', ' '))).join('|')})$`),
  })

export async function run(gallery: readonly Bug[]): Promise<Verdict[]> {
  const vitest = await createVitest('test', {
    config: false,
    root,
    watch: false,
    reporters: [{}],
    // One of them waits for what never comes: the others have two cores.
    maxWorkers: 3,
    projects: [project(asItIs), ...gallery.map((bug) => project(bug.name, bug))],
  })
  try {
    const named = (name: string): TestProject => {
      const found = vitest.projects.find((each) => each.name === name)
      if (found === undefined) throw new Error(`no project ${name}`)
      return found
    }
    const sentences = gallery.map(({ caught }) => caught)
    const files = [...new Set(sentences.map(({ file }) => file))]
    await vitest.runTestSpecifications([
      ...files.map((file) =>
        specification(
          named(asItIs),
          file,
          sentences.filter((sentence) => sentence.file === file),
        ),
      ),
      ...gallery.map(({ name, caught }) => specification(named(name), caught.file, [caught])),
    ])
    const tests = vitest.state.getTestModules().flatMap((module) => [...module.children.allTests()])
    const of = (name: string, { file, sentence }: Sentence): TestCase | undefined =>
      tests.find((test) => test.project.name === name && test.fullName === sentence && test.module.moduleId === join(root, file))
    return gallery.map(({ name, caught }) => verdict(name, of(asItIs, caught), of(name, caught)))
  } finally {
    await vitest.close()
  }
}

function verdict(name: string, good: TestCase | undefined, bad: TestCase | undefined): Verdict {
  const state = (test: TestCase | undefined): string => test?.result().state ?? 'not found'
  const said = (bad?.result().errors ?? []).map(({ message, diff = '' }) => `${message}\n${diff}`).join('\n')
  // Without colours, and without the CR of a head's lines, which no file keeps.
  return { name, asItIs: state(good), withBug: state(bad), said: stripVTControlCharacters(said).replaceAll('\r', '') }
}

/** The command line of the server, as Node is given it. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const built = join(root, 'dist/server/main.js')

/**
 * What is built, as it is installed, and it starts in half the time; where it is older than a source, or there is none, the sources.
 */
export const serverProgram = (): readonly string[] => (isFresh() ? [built] : ['--import', 'tsx', join(root, 'src/server/main.ts')])

function isFresh(): boolean {
  const builtMs = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  return files.every((file) => statSync(join(root, 'src', file)).mtimeMs < builtMs)
}

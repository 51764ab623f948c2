/** The programs that tests start beside the server: where they are installed, and what to install where they are not. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Named as their packages in Debian are. */
export const programNames = ['redis-server', 'nginx', 'haproxy', 'caddy'] as const
export type ProgramName = (typeof programNames)[number]

/** Debian keeps servers where only root's PATH looks. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'].filter(Boolean)

const find = (name: ProgramName): string | undefined => folders.map((folder) => join(folder, name)).find((path) => existsSync(path))

const help = (names: readonly ProgramName[]): string =>
  `The tests start ${names.join(', ')}, which ${names.length === 1 ? 'is' : 'are'} not installed: on Debian, apt-get install ${names.join(' ')}`

/** Where it is. @throws Error in one sentence that says what to install */
export function programPath(name: ProgramName): string {
  const path = find(name)
  if (path === undefined) throw new Error(help([name]))
  return path
}

/** Run as a program it says in one sentence which are missing. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = programNames.filter((name) => find(name) === undefined)
  if (missing.length > 0) {
    console.error(help(missing))
    process.exit(1)
  }
}

/**
 * A real Chromium: the one that $CHROMIUM names, one that is installed, or one that is installed now. Run as a program it
 * sees to it that there is one; tests launch it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type LaunchOptions, chromium } from 'playwright-core'

/** Chromium without all that has a window: the same engine, for half the processor. */
const shells = ['chromium-headless-shell', 'chrome-headless-shell']
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge']
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

const help = `No Chromium was found, and none could be installed. Do one of these, then run the tests again:
  - install Chromium or Chrome (on Debian: apt-get install chromium)
  - name one: CHROMIUM=/path/to/chromium npm test`

/** Where a Chromium is installed, or undefined. @throws Error where $CHROMIUM names none */
function installed(whole = false): string | undefined {
  const named = process.env['CHROMIUM']
  if (named !== undefined && !existsSync(named)) throw new Error(`There is nothing at ${named}, which CHROMIUM names.`)
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const onPath = [...(whole ? [] : shells), ...names].flatMap((name) => folders.map((folder) => join(folder, name)))
  return named ?? [...onPath, ...places].find(existsSync)
}

/** The one that playwright-core brings itself, where it was installed. */
async function bundledWorks(options: LaunchOptions): Promise<boolean> {
  const browser = await chromium.launch(options).catch(() => undefined)
  await browser?.close()
  return browser !== undefined
}

async function install(): Promise<void> {
  if (installed(true) !== undefined || (await bundledWorks(wholeOne))) return
  console.log('Installing a Chromium for the browser tests …')
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')), 'cli.js')
  const playwright = spawnSync(process.execPath, [cli, 'install', 'chromium'], { stdio: 'ignore', timeout: 240_000 })
  if (playwright.status === 0 && (await bundledWorks(wholeOne))) return
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' })
    execFileSync('apt-get', ['install', '-y', '-qq', 'chromium'], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  if (installed(true) === undefined) throw new Error(help)
}

/** Playwright's own name for the browser that has windows, here without one. */
const wholeOne: LaunchOptions = { channel: 'chromium' }

interface Launch {
  /** Further command-line switches of Chromium. */
  readonly switches?: readonly string[]
  /** Switches of Playwright's own that are left out. */
  readonly without?: readonly string[]
  /** With all that a person's has: its shell alone keeps no page to go back to, and calls itself another name. */
  readonly whole?: boolean
}

/** Starts a Chromium without a window: its shell, where there is one, and the whole of it where a test needs that. */
export async function launch({ switches = [], without = [], whole = false }: Launch = {}): Promise<Browser> {
  const executablePath = installed(whole)
  const options = executablePath === undefined ? (whole ? wholeOne : {}) : { executablePath }
  if (executablePath === undefined && !(await bundledWorks(options))) throw new Error(help)
  return chromium.launch({
    ...options,
    ignoreDefaultArgs: [...without],
    args: [
      // As root, which a container often is, its sandbox does not start.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--lang=en-US',
      ...switches,
    ],
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await install().catch((error: Error) => {
    console.error(error.message)
    process.exit(1)
  })
}

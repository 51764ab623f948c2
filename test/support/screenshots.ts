/** `npm run screenshots`: pictures of every view, wide and narrow, light and dark, with a play going on. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { launch } from './browser.ts'
import { type Scene, scenes, tellAddress } from './scenes.ts'
import { raise, type Stage } from './stage.ts'

const schemes = ['light', 'dark'] as const
const screens: Readonly<Record<'desktop' | 'phone', BrowserContextOptions>> = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
}
/** Those of the README are kept with it; each is small enough to be read over a slow line. */
const chosen = ['wire-desktop-light', 'race-desktop-light', 'presenter-desktop-dark']
const chosenFolder = 'test/screenshots'
const chosenBytes = 150_000

const help = `npm run screenshots -- [--only <scene>]… [--out <folder>] [--keep]

Starts a server of its own with members who talk, and takes pictures of the page in Chromium:
${Object.keys(screens).join(' and ')}, ${schemes.join(' and ')}.

  --only <scene>   only these; may be repeated: ${scenes.map(({ name }) => name).join(', ')}
  --out <folder>   where they go (default screenshots, which git ignores)
  --keep           put those of the README into ${chosenFolder}, as WebP; each at most ${chosenBytes / 1000} kB
`

interface Shot {
  readonly scene: Scene
  readonly screen: keyof typeof screens
  readonly scheme: (typeof schemes)[number]
}

const fileOf = ({ scene, screen, scheme }: Shot): string => `${scene.name}-${screen}-${scheme}`

async function take(browser: Browser, stage: Stage, shot: Shot, folder: string): Promise<string> {
  const { scene, screen, scheme } = shot
  const context = await browser.newContext({ ...screens[screen], colorScheme: scheme })
  const complaints = new Set<string>()
  try {
    const page = await context.newPage()
    page.on('pageerror', (error) => complaints.add(error.message))
    await tellAddress(page)
    await page.goto(stage.server.url + scene.address.replace('KEY', stage.key))
    await page.waitForTimeout(1_000)
    await scene.act?.(page, stage)
    await page.waitForTimeout(scene.runMs ?? 500)
    const path = join(folder, `${fileOf(shot)}.png`)
    await page.screenshot({ path })
    return `${path} ${Math.round(statSync(path).size / 1000)} kB${[...complaints].map((each) => `\n  the page complains: ${each}`).join('')}`
  } finally {
    await context.close()
  }
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      only: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'screenshots' },
      keep: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(help)
  const unknown = values.only.filter((name) => !scenes.some((scene) => scene.name === name))
  if (unknown.length > 0)
    throw new Error(`There is no scene ${unknown.join(', ')}. There are ${scenes.map(({ name }) => name).join(', ')}.`)
  const shots = scenes
    .filter(({ name }) => values.only.length === 0 || values.only.includes(name))
    .flatMap((scene) => (['desktop', 'phone'] as const).flatMap((screen) => schemes.map((scheme) => ({ scene, screen, scheme }))))
    .filter(({ scene, screen }) => scene.only === undefined || scene.only === screen)
  mkdirSync(values.out, { recursive: true })
  await using stage = await raise()
  const browser = await launch()
  let failed = 0
  try {
    for (const [index, shot] of shots.entries()) {
      const told = await take(browser, stage, shot, values.out).catch((error: Error) => {
        failed++
        return `${fileOf(shot)} failed: ${error.message.split('\n')[0]}`
      })
      console.log(`${index + 1}/${shots.length} ${told}`)
    }
    if (values.keep) await keep(browser, shots.map(fileOf), values.out)
  } finally {
    await browser.close()
  }
  if (failed > 0) throw new Error(`${failed} of ${shots.length} pictures could not be taken.`)
}

/** A browser can write WebP: the same picture in about half the bytes of its PNG, without another package. */
async function keep(browser: Browser, taken: readonly string[], folder: string): Promise<void> {
  mkdirSync(chosenFolder, { recursive: true })
  const page = await browser.newPage()
  for (const name of chosen.filter((each) => taken.includes(each))) {
    const png = readFileSync(join(folder, `${name}.png`)).toString('base64')
    const webp = Buffer.from(await page.evaluate(encode, png), 'base64')
    if (webp.length > chosenBytes) throw new Error(`${name} has ${webp.length} bytes as WebP; at most ${chosenBytes} are kept.`)
    const path = join(chosenFolder, `${name}.webp`)
    writeFileSync(path, webp)
    console.log(`kept ${path} ${Math.round(webp.length / 1000)} kB`)
  }
}

/** Runs in the page: a PNG as WebP, both in base64. */
async function encode(png: string): Promise<string> {
  const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(png), (each) => each.charCodeAt(0))]))
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.92 })
  return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (each) => String.fromCharCode(each)).join(''))
}

await run().catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})

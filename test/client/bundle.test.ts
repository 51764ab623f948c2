import { build } from 'esbuild'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

it('is at most 8 kB, bundled and compressed, and asks for nothing of Node', async () => {
  const { outputFiles } = await build({
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    write: false,
  })
  const [bundle] = outputFiles
  expect(gzipSync(bundle?.contents ?? '', { level: 9 }).length).toBeLessThanOrEqual(8000)
})

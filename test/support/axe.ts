/** What axe finds wrong with a page. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** Each barrier with the elements that have it. `within` is where to look: everywhere, if it is not given. */
export async function barriers(page: Page, ...within: readonly string[]): Promise<readonly string[]> {
  // The page has no frames and one style sheet of its own: to look for others takes longer than all the rest.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ preload: false, resultTypes: ['violations'] })
  for (const selector of within) axe.include(selector)
  const { violations } = await axe.analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

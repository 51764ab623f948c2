/** Functions that run inside Redis, in Lua, each in one atomic step. */
import { createHash } from 'node:crypto'

/** A library as Redis keeps it: its functions are called `<name>_<function>`. */
export interface Library {
  readonly name: string
  readonly code: string
}

/**
 * A library of this Lua, which registers its functions with `provide(name, callback, flag, …)`. Its name ends with the
 * code's hash: two versions of this program may share a Redis, and what is loaded under the name is always this.
 */
export function library(title: string, lua: string): Library {
  const name = `${title}_${createHash('sha256').update(lua).digest('hex').slice(0, 12)}`
  const code = `#!lua name=${name}
local function provide(name, callback, ...)
  redis.register_function{function_name = '${name}_' .. name, callback = callback, flags = {...}}
end
${lua}`
  return { name, code }
}

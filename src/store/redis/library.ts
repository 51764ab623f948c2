/** Functions that run inside Redis, in Lua, each in one atomic step. */
import { createHash } from 'node:crypto'

/** A library as Redis keeps it: its functions are called `<name>_<function>`. */
export interface Library {
  readonly name: string
  readonly code: string
}

/** What every library has: Redis' own time in ms since 1970, and numbers as they are written. */
const common = `
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Whole numbers up to 15 digits: tostring would write 1e+14.
local function whole(number) return string.format('%.0f', number) end
`

/**
 * A library of this Lua, which registers its functions with `provide(name, callback, flag, …)`. Its name ends with the
 * code's hash: two versions of this program may share a Redis, and what is loaded under the name is always this.
 */
export function library(title: string, lua: string): Library {
  const name = `${title}_${createHash('sha256').update(common).update(lua).digest('hex').slice(0, 12)}`
  const code = `#!lua name=${name}
local function provide(name, callback, ...)
  redis.register_function{function_name = '${name}_' .. name, callback = callback, flags = {...}}
end
${common}${lua}`
  return { name, code }
}

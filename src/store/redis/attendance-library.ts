/**
 * Who is here, kept in Redis for all nodes. One hash a room: `m|<member>` is what is known of one member, as JSON; `v` the version of the
 * newest; `n|<node>` the version of what that node told last, by which it sees whether it is still known; `c` when all were
 * last looked through. Versions are ms of this server's clock, and more where that would not be more than the last: a room
 * that was lost has none that was told before.
 *
 * A wire stays known for as long as anybody may believe in it: who missed that it was closed finds it, and what it is now.
 */
import { library } from './library.ts'

/** A room goes when nobody has told of it for so long, in ms, or for twice the longest lease. */
const staysMs = 600_000
/** A held wire whose lease has run out may be heard of again, also by another node, for so long after, in ms. */
const heldMs = 600_000
/** All members of a room are looked through so often, in ms, and nodes that told nothing for so long are let go. */
const sweepMs = 5_000
const nodeMs = 3_600_000
/** Who has left is known for so long, in ms: every node asks each second. */
const leftMs = 60_000

const shared = `
local function versionOf(key, field) return tonumber(redis.call('HGET', key, field) or '0') end

-- As it is told: times are ms from now. The clock may have gone back: nothing proves more than its lease.
local function told(id, record, now)
  local wires = {}
  for _, wire in pairs(record.wires) do
    wires[#wires + 1] = {transport = wire.transport, node = wire.node, leaseMs = wire.leaseMs, held = wire.held, closing = wire.closing,
      leftMs = math.max(0, math.min(wire.endsAt - now, wire.leaseMs)), seenMs = math.max(0, now - wire.seenAt)}
  end
  return {id = id, name = record.name, wires = wires, state = record.state}
end
`

const telling = `
-- Until when a wire is known: as long as anybody may believe in it (until), and longer where it may be heard of again.
local function dropAt(wire) return wire.held and wire['until'] + ${heldMs} or wire['until'] end

local function finish(wire, now) wire.endsAt, wire.held = math.min(wire.endsAt, now), false end

local function takeOwn(record, node, own, now)
  local wires, mine = record.wires, {}
  if own.named or record.name == '' then record.name = own.name end
  for _, wire in ipairs(own.wires) do
    local place = node .. ' ' .. wire.transport
    local before, endsAt = wires[place], now + wire.leftMs
    local believed = endsAt
    mine[place] = true
    if before then
      local longest = now + before.leaseMs
      -- A lease once given is not shortened while its connection is open: another node may have renewed it.
      if wire.held and not before.closing then endsAt = math.max(endsAt, math.min(before.endsAt, longest)) end
      believed = math.max(endsAt, math.min(before['until'], longest))
    end
    wires[place] = {transport = wire.transport, node = node, leaseMs = wire.leaseMs, held = wire.held, closing = wire.closing,
      endsAt = endsAt, ['until'] = believed, seenAt = now - wire.seenMs}
  end
  for place, wire in pairs(wires) do
    if wire.node == node and not mine[place] then finish(wire, now) end
  end
end

local function take(record, node, notice, now)
  if notice.left then
    for _, wire in pairs(record.wires) do finish(wire, now) end
  end
  if notice.own then takeOwn(record, node, notice.own, now) end
  local here, most = false, 0
  for place, wire in pairs(record.wires) do
    if notice.renewed and wire.transport == notice.renewed.transport and wire.held and not wire.closing then
      wire.endsAt, wire.leaseMs, wire.seenAt = math.max(wire.endsAt, now + notice.renewed.leaseMs), notice.renewed.leaseMs, now
      wire['until'] = math.max(wire['until'], wire.endsAt)
    end
    if wire.endsAt > now then here = true end
    if dropAt(wire) <= now then record.wires[place] = nil end
    most = math.max(most, wire.leaseMs)
  end
  if not here then record.state = nil end
  local state = notice.state
  if not state then return true, most end
  if not here then return state.json == 'null', most end
  local setAt = now - state.ageMs
  -- Of two that were set at different nodes the later one holds, whichever came first.
  if not record.state or record.state.node == node or record.state.setAt <= setAt then
    record.state = {node = node, json = state.json, setAt = setAt}
  end
  return true, most
end

-- What nobody told of any more.
local function sweep(key, now)
  local last = versionOf(key, 'c')
  if now >= last and now < last + ${sweepMs} then return end
  redis.call('HSET', key, 'c', whole(now))
  local all = redis.call('HGETALL', key)
  for index = 1, #all, 2 do
    local field, kept = all[index], all[index + 1]
    local kind, gone = string.sub(field, 1, 2), false
    if kind == 'n|' then gone = tonumber(kept) < now - ${nodeMs} end
    if kind == 'm|' then
      gone = true
      for _, wire in pairs(cjson.decode(kept).wires) do if dropAt(wire) > now then gone = false end end
    end
    if gone then redis.call('HDEL', key, field) end
  end
end

-- keys: a room's attendance; args: node, channel, notices as JSON. Answers: the version of what this node told before and of
-- this, and the ids of whose state was not taken as they are not here. Where memory is short too: it is little, and goes by itself.
provide('tell', function(keys, args)
  local key, node, now = keys[1], args[1], clock()
  local before, last = redis.call('HGET', key, 'n|' .. node) or '0', versionOf(key, 'v')
  local version = math.max(last + 1, now)
  local absent, members, most, changed = {}, {}, 0, false
  for _, notice in ipairs(cjson.decode(args[3])) do
    local field = 'm|' .. notice.id
    local kept = redis.call('HGET', key, field)
    local record = kept and cjson.decode(kept) or {name = '', wires = {}}
    local taken, leaseMs = take(record, node, notice, now)
    if not taken then absent[#absent + 1] = notice.id end
    most = math.max(most, leaseMs)
    if next(record.wires) then
      record.v = version
      redis.call('HSET', key, field, cjson.encode(record))
      members[#members + 1] = told(notice.id, record, now)
      changed = true
    elseif kept then
      redis.call('HDEL', key, field)
      changed = true
    end
  end
  -- Of who says to be here, and holds nothing anywhere, no room is made.
  if not changed then return {before, before, absent} end
  sweep(key, now)
  redis.call('HSET', key, 'v', whole(version), 'n|' .. node, whole(version))
  redis.call('PEXPIRE', key, whole(math.max(${staysMs}, most * 2)))
  redis.call('SPUBLISH', args[2], cjson.encode({from = last, to = version, members = members}))
  return {before, whole(version), absent}
end, 'allow-oom')
`

const reading = `
-- keys: a room's attendance; args: a version. Answers: the version now, and who was told of after that one, as JSON.
provide('read', function(keys, args)
  local key, since, now = keys[1], tonumber(args[1]), clock()
  local members, all = {}, redis.call('HGETALL', key)
  for index = 1, #all, 2 do
    if string.sub(all[index], 1, 2) == 'm|' then
      local record = cjson.decode(all[index + 1])
      if record.v > since then members[#members + 1] = told(string.sub(all[index], 3), record, now) end
    end
  end
  return {redis.call('HGET', key, 'v') or '0', cjson.encode(members)}
end, 'no-writes')

-- keys: the attendance of any rooms; args: node. Answers: of each the version now, and of what this node told last.
provide('versions', function(keys, args)
  local versions = {}
  for _, key in ipairs(keys) do
    local found = redis.pcall('HMGET', key, 'v', 'n|' .. args[1])
    versions[#versions + 1] = found.err and '' or found[1] or '0'
    versions[#versions + 1] = found.err and '' or found[2] or '0'
  end
  return versions
end, 'no-writes')

-- keys: who has left lately; args: a member, channel.
provide('leave', function(keys, args)
  local now = clock()
  local last = redis.call('ZREVRANGE', keys[1], 0, 0, 'WITHSCORES')[2]
  local version = whole(math.max(tonumber(last or '0') + 1, now))
  redis.call('ZADD', keys[1], version, args[1])
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', whole(now - ${leftMs}))
  redis.call('PEXPIRE', keys[1], ${leftMs * 2})
  redis.call('SPUBLISH', args[2], cjson.encode({version = version, member = args[1]}))
end, 'allow-oom')

-- keys: who has left lately; args: a version. Answers: each who left after that one, and the version of that; all where it went back.
provide('left', function(keys, args)
  local newest = redis.call('ZREVRANGE', keys[1], 0, 0, 'WITHSCORES')[2]
  local from = newest and tonumber(newest) < tonumber(args[1]) and '-inf' or '(' .. args[1]
  return redis.call('ZRANGEBYSCORE', keys[1], from, '+inf', 'WITHSCORES')
end, 'no-writes')
`

export const attendance = library('fourwires_attendance', shared + telling + reading)

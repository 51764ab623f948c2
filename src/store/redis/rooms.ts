/**
 * Rooms in Redis: what is done to one inside the server, each function in one atomic step. A room's keys are
 *
 *     meta    its epoch, head and the head's tag; its floor (oldest - 1) and that one's tag; how many ids have gone, bytes kept
 *     log     a stream: message seq is entry `seq-0`, so that a cursor finds its place at once
 *     ids     (member, id) → seq, tag, when, bytes, hash of the text: what makes a repeat recognisable
 *     queue   the same (member, id), oldest first
 *
 * Time is this server's own, whatever the clocks of the processes say. What is random is drawn by them and handed in:
 * a script's math.random repeats after a restart.
 */
import { library } from './library.ts'

/** What an object and its place in a collection take beside their text, roughly, in bytes. */
const overheadBytes = 128
/** Room in a batch for its cursor, gap and punctuation, in bytes. */
const envelopeBytes = 256

/**
 * So many are looked at in one call, once the first was found to go: a room whose ten thousand messages have all grown old is
 * let go of within one call, and Redis does nothing else meanwhile.
 */
const atOnce = 128

const shared = `
local META, LOG, IDS, QUEUE = 1, 2, 3, 4
-- Places in an entry of the log.
local MEMBER, AUTHOR, ID, TEXT, AT, TAG, BYTES = 2, 4, 6, 8, 10, 12, 14

local function entry(seq) return whole(seq) .. '-0' end

local function open(keys)
  local meta = redis.call('HMGET', keys[META], 'epoch', 'head', 'tag', 'floor', 'floorTag', 'idFloor', 'bytes', 'stays')
  if not meta[1] then return nil end
  return {epoch = meta[1], head = tonumber(meta[2]), tag = meta[3], floor = tonumber(meta[4]), floorTag = meta[5],
    idFloor = tonumber(meta[6]), bytes = tonumber(meta[7]), stays = tonumber(meta[8])}
end

local function save(keys, room)
  redis.call('HSET', keys[META], 'epoch', room.epoch, 'head', whole(room.head), 'tag', room.tag, 'floor', whole(room.floor),
    'floorTag', room.floorTag, 'idFloor', whole(room.idFloor), 'bytes', whole(room.bytes), 'stays', whole(room.stays))
end

-- Redis lets go of keys one by one where its memory is short, and anybody may delete them: what is left is no room.
local function logComplete(keys, room) return redis.call('XLEN', keys[LOG]) == room.head - room.floor end
local function complete(keys, room)
  local ids = room.head - room.idFloor
  return logComplete(keys, room) and redis.call('HLEN', keys[IDS]) == ids and redis.call('LLEN', keys[QUEUE]) == ids
end

-- Whoever is in the room that was is in this one: it stays as long, where that is known.
local function begin(keys, epoch, stays)
  redis.call('UNLINK', keys[META], keys[LOG], keys[IDS], keys[QUEUE])
  return {epoch = epoch, head = 0, tag = 'AAAAAA', floor = 0, floorTag = 'AAAAAA', idFloor = 0, bytes = 0, stays = stays or 0}
end

-- A room goes by itself at room.stays, all of its keys at once. Put off in steps: never sooner, and not at every append.
local function stay(keys, room, now, forMs)
  if now + forMs > room.stays then room.stays = now + forMs + math.floor(forMs / 64) end
  for key = META, QUEUE do redis.call('PEXPIREAT', keys[key], whole(room.stays)) end
end

local function dropMessages(keys, room, over)
  local before, count, enough = room.floor, 1, false
  while room.floor < room.head and not enough do
    local entries = redis.call('XRANGE', keys[LOG], entry(room.floor + 1), '+', 'COUNT', count)
    for _, message in ipairs(entries) do
      local fields = message[2]
      if not over(tonumber(fields[AT])) then enough = true break end
      room.floor, room.floorTag = room.floor + 1, fields[TAG]
      room.bytes = room.bytes - tonumber(fields[BYTES]) - ${overheadBytes}
    end
    if #entries == 0 then break end
    count = ${atOnce}
  end
  if room.floor > before then redis.call('XTRIM', keys[LOG], 'MINID', entry(room.floor + 1)) end
end

local function kept(value)
  local seq, tag, at, bytes, hash = string.match(value, '^(%d+) (%S+) (%d+) (%d+) (%S+)$')
  return {seq = tonumber(seq), tag = tag, at = tonumber(at), bytes = tonumber(bytes), hash = hash}
end

local function dropIds(keys, room, over)
  local count, enough = 1, false
  while room.idFloor < room.head and not enough do
    local oldest = redis.call('LRANGE', keys[QUEUE], 0, count - 1)
    local gone = {}
    for index, value in ipairs(redis.call('HMGET', keys[IDS], unpack(oldest))) do
      local id = kept(value)
      if not over(id.at) then enough = true break end
      gone[index] = oldest[index]
      room.idFloor, room.bytes = room.idFloor + 1, room.bytes - id.bytes
    end
    if #gone > 0 then
      redis.call('LPOP', keys[QUEUE], #gone)
      redis.call('HDEL', keys[IDS], unpack(gone))
    end
    count = ${atOnce}
  end
end

local function limitsOf(args, from)
  return {messages = tonumber(args[from]), ms = tonumber(args[from + 1]), bytes = tonumber(args[from + 2]),
    idMs = tonumber(args[from + 3]), ids = tonumber(args[from + 4])}
end

-- Lets go of what is over the room's limits by now.
local function trim(keys, room, limits, now)
  dropMessages(keys, room, function(at) return room.head - room.floor > limits.messages or at <= now - limits.ms end)
  dropIds(keys, room, function(at) return room.head - room.idFloor > limits.ids or at <= now - limits.idMs end)
  if room.bytes <= limits.bytes then return end
  dropMessages(keys, room, function() return room.bytes > limits.bytes and room.head - room.floor > 1 end)
  dropIds(keys, room, function() return room.bytes > limits.bytes and room.head - room.idFloor > 1 end)
end
`

const writing = `
-- keys: meta, log, ids, queue; args: may it be made, epoch for that, tag, member, author, id, text, hash of the text,
-- bytes of its JSON with seq and at of one digit, ms to stay, channel, limits.
provide('append', function(keys, args)
  local now, room = clock(), open(keys)
  if room and not complete(keys, room) then room = begin(keys, args[2], room.stays) end
  if not room then
    if args[1] == '0' then return {'absent'} end
    room = begin(keys, args[2])
  end
  local limits = limitsOf(args, 12)
  local floor, idFloor = room.floor, room.idFloor
  trim(keys, room, limits, now)
  local key = args[4] .. ' ' .. args[6]
  local found = redis.call('HGET', keys[IDS], key)
  if found then
    if room.floor > floor or room.idFloor > idFloor then save(keys, room) end
    local id = kept(found)
    return {id.hash == args[8] and 'duplicate' or 'mismatch', room.epoch, id.seq, id.tag}
  end
  local fresh = room.floor == room.head or room.idFloor == room.head
  room.head, room.tag = room.head + 1, args[3]
  local seq, at = whole(room.head), whole(now)
  local bytes = tonumber(args[9]) - 2 + #seq + #at
  local idBytes = #key + #args[8] + ${overheadBytes}
  redis.call('XADD', keys[LOG], entry(room.head), 'm', args[4], 'a', args[5], 'i', args[6], 'x', args[7], 't', at, 'g', room.tag, 'b', bytes)
  redis.call('HSET', keys[IDS], key, seq .. ' ' .. room.tag .. ' ' .. at .. ' ' .. whole(idBytes) .. ' ' .. args[8])
  redis.call('RPUSH', keys[QUEUE], key)
  room.bytes = room.bytes + bytes + ${overheadBytes} + idBytes
  -- Of age nothing can have changed meanwhile.
  local over = room.head - room.floor > limits.messages or room.head - room.idFloor > limits.ids or room.bytes > limits.bytes
  if over then trim(keys, room, limits, now) end
  save(keys, room)
  local forMs = tonumber(args[10])
  if fresh or now + forMs > room.stays then
    stay(keys, room, now, forMs)
    redis.call('HSET', keys[META], 'stays', whole(room.stays))
  end
  redis.call('SPUBLISH', args[11], room.epoch .. '.' .. seq .. '.' .. room.tag)
  return {'appended', room.epoch, room.head, room.tag}
end)

-- Somebody is in the room: it is made where there is none, mended, trimmed, and stays. Where memory is short too: it frees some.
-- keys: meta, log, ids, queue; args: may it be made, epoch for that, ms to stay, limits.
provide('visit', function(keys, args)
  local now, room = clock(), open(keys)
  if room and not complete(keys, room) then room = begin(keys, args[2], room.stays) end
  if not room then
    if args[1] == '0' then return 'absent' end
    room = begin(keys, args[2])
  end
  trim(keys, room, limitsOf(args, 4), now)
  save(keys, room)
  stay(keys, room, now, tonumber(args[3]))
  redis.call('HSET', keys[META], 'stays', whole(room.stays))
  return 'here'
end, 'allow-oom')

-- keys: meta, log, ids, queue; args: epoch, ms to stay, channel.
provide('clear', function(keys, args)
  local now = clock()
  if redis.call('EXISTS', keys[META]) == 0 then return '' end
  -- What is there may be no room at all.
  local stays = redis.pcall('HGET', keys[META], 'stays')
  local room = begin(keys, args[1], type(stays) == 'string' and tonumber(stays))
  save(keys, room)
  stay(keys, room, now, tonumber(args[2]))
  redis.call('HSET', keys[META], 'stays', whole(room.stays))
  local head = room.epoch .. '.0.' .. room.tag
  redis.call('SPUBLISH', args[3], head)
  return head
end, 'allow-oom')

-- keys: rooms, by when they go; args: room, how many at the most, ms that this one stays. Is there a place for it?
provide('admit', function(keys, args)
  local now = clock()
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', whole(now))
  if not redis.call('ZSCORE', keys[1], args[1]) and redis.call('ZCARD', keys[1]) >= tonumber(args[2]) then return 0 end
  local stays = whole(now + tonumber(args[3]))
  redis.call('ZADD', keys[1], 'GT', stays, args[1])
  redis.call('PEXPIREAT', keys[1], stays, 'NX')
  redis.call('PEXPIREAT', keys[1], stays, 'GT')
  return 1
end)
`

const reading = `
local function tagOf(keys, room, seq)
  if seq == room.floor then return room.floorTag end
  if seq == room.head then return room.tag end
  return redis.call('XRANGE', keys[LOG], entry(seq), entry(seq))[1][2][TAG]
end

-- keys: meta, log, ids, queue; args: member and id, ms that ids are kept, how many.
provide('find', function(keys, args)
  local room = open(keys)
  local found = room and redis.call('HGET', keys[IDS], args[1])
  if not found then return {'absent'} end
  local id = kept(found)
  if id.at <= clock() - tonumber(args[2]) or id.seq <= room.head - tonumber(args[3]) then return {'absent'} end
  return {'found', room.epoch, id.seq, id.tag, id.hash}
end, 'no-writes')

-- The state of the log with the tag of that seq, and messages after a place: 'after' the seq, the 'newest', or from the 'oldest'.
-- Whether that place is right is for the process to say, by the table of the contract: it knows all that the table looks at.
-- keys: meta, log, ids, queue; args: where, seq of the cursor (or how many of the newest), messages at the most, bytes at the most, ms that messages are kept.
provide('read', function(keys, args)
  local room = open(keys)
  if not room then return {'absent'} end
  if not logComplete(keys, room) then return {'incomplete'} end
  if room.floor < room.head then
    local oldest = redis.call('XRANGE', keys[LOG], entry(room.floor + 1), '+', 'COUNT', 1)[1]
    if tonumber(oldest[2][AT]) <= clock() - tonumber(args[5]) then return {'aged'} end
  end
  local from, number = room.floor, tonumber(args[2])
  local known = number >= room.floor and number <= room.head
  if args[1] == 'newest' then from = math.max(room.floor, room.head - number) end
  if args[1] == 'after' and known then from = number end
  local tag = known and args[1] ~= 'newest' and tagOf(keys, room, number) or ''
  local messages, count, bytes, full, last, lastTag = {}, 0, ${envelopeBytes}, false, from, tagOf(keys, room, from)
  local most, mostBytes = tonumber(args[3]), tonumber(args[4])
  while last < room.head and not full do
    -- Not all that may fit in number, which may be much more than fits in bytes.
    local entries = redis.call('XRANGE', keys[LOG], entry(last + 1), '+', 'COUNT', math.min(32, most - count))
    for _, message in ipairs(entries) do
      local fields = message[2]
      bytes = bytes + tonumber(fields[BYTES]) + 1
      if bytes > mostBytes and count > 0 then full = true break end
      count, last, lastTag = count + 1, last + 1, fields[TAG]
      local place = #messages
      messages[place + 1], messages[place + 2], messages[place + 3] = message[1], fields[ID], fields[MEMBER]
      messages[place + 4], messages[place + 5], messages[place + 6] = fields[AUTHOR], fields[TEXT], fields[AT]
    end
    if count >= most or #entries == 0 then full = true end
  end
  return {'read', room.epoch, room.floor, room.head, number, tag, from, lastTag, messages}
end, 'no-writes')

-- keys: meta of any rooms; their heads as cursors, '' where there is no room, and nothing where something else has its place.
provide('heads', function(keys)
  local heads = {}
  for index, key in ipairs(keys) do
    local meta = redis.pcall('HMGET', key, 'epoch', 'head', 'tag')
    if meta.err then heads[index] = false
    elseif not meta[1] then heads[index] = ''
    else heads[index] = meta[1] .. '.' .. tostring(meta[2]) .. '.' .. tostring(meta[3]) end
  end
  return heads
end, 'no-writes')
`

export const rooms = library('fourwires_rooms', shared + writing + reading)

-- One call: batches of intents, resolved against what is stored, and written with their changes.
--
-- First everything is read and resolved, without a write. Then the stream's entry is written, which
-- is the only write that may be refused (out of memory, a wrong id); nothing after it can fail: the
-- types of all keys were proved by reading them.
--
-- KEYS: meta, stream, boards, labels, then sorted set and hash of each board, then one key for each
-- batch that has an idempotency key, in order.
-- ARGV: incarnation, sequence and nonce that the node knows, new nonce, entries and bytes of
-- changes that the stream keeps, number of the partition, stride of ids, most boards, most members,
-- time of acceptance, definition of boards that writes create, number of boards, number of batches,
-- names of the boards; then for each batch: digest of the request ('' without a key), how long to
-- remember it in ms, time of acceptance, whether writes may create boards, number of intents, the
-- intents.
-- Answer: {'ok', sequence, nonce, batch...}, or why nothing was done.

local INFINITY = math.huge
local EXACT = 9007199254740992
-- Locals: every look at a global is one into a table.
local fmt, sub, len, find = string.format, string.sub, string.len, string.find
local call, tonumber, KEYS, ARGV = redis.call, tonumber, KEYS, ARGV

-- Integers are decimal strings: Lua's numbers are doubles.
local function halves(text)
  local sign = 1
  if sub(text, 1, 1) == '-' then
    sign = -1
    text = sub(text, 2)
  end
  if len(text) <= 9 then return 0, sign * tonumber(text) end
  return sign * tonumber(sub(text, 1, -10)), sign * tonumber(sub(text, -9))
end

local function int_compare(a, b)
  if a == b then return 0 end
  local x, y = tonumber(a), tonumber(b)
  if x < y then return -1 end
  if x > y then return 1 end
  local ah, al = halves(a)
  local bh, bl = halves(b)
  if ah ~= bh then return ah < bh and -1 or 1 end
  return al < bl and -1 or 1
end

-- The sum, or nil where it leaves 64 bits.
local function int_add(a, b)
  local x, y = tonumber(a), tonumber(b)
  if x > -EXACT and x < EXACT and y > -EXACT and y < EXACT then
    local s = x + y
    if s > -EXACT and s < EXACT then return s == 0 and '0' or fmt('%.0f', s) end
  end
  local ah, al = halves(a)
  local bh, bl = halves(b)
  local h, l = ah + bh, al + bl
  if l >= 1e9 then h, l = h + 1, l - 1e9 elseif l <= -1e9 then h, l = h - 1, l + 1e9 end
  if h > 0 and l < 0 then h, l = h - 1, l + 1e9 end
  if h < 0 and l > 0 then h, l = h + 1, l - 1e9 end
  local minus = h < 0 or l < 0
  -- Not -l: a negative zero would be written with its sign.
  if minus then h, l = 0 - h, 0 - l end
  if h > 9223372036 or (h == 9223372036 and l > (minus and 854775808 or 854775807)) then
    return nil
  end
  local text = h == 0 and fmt('%.0f', l) or fmt('%.0f%09.0f', h, l)
  return minus and '-' .. text or text
end

local function float(text)
  if text == 'inf' then return INFINITY elseif text == '-inf' then return -INFINITY end
  return tonumber(text)
end

local function float_text(x)
  if x == INFINITY then return 'inf' elseif x == -INFINITY then return '-inf' end
  return fmt('%.17g', x)
end

local function float_compare(a, b)
  return a < b and -1 or (a > b and 1 or 0)
end

-- The sum, or nil where it is not a number.
local function float_add(a, b)
  local s = a + b
  if s ~= s then return nil end
  return s + 0
end

local KINDS = {
  i = {compare = int_compare, add = int_add, text = function(x) return x end},
  f = {compare = float_compare, add = float_add, text = float_text},
}

local meta = call('HMGET', KEYS[1], 'inc', 'seq', 'nonce', 'board', 'bytes', 'tail')
if not meta[1] then return {'empty'} end
if meta[1] ~= ARGV[1] then return {'incarnation', meta[1], meta[2]} end
local sequence, known = tonumber(meta[2]), tonumber(ARGV[2])
if sequence < known or (sequence == known and meta[3] ~= ARGV[3]) then
  return {'behind', meta[2]}
end
local nonce, entries_max, bytes_max = ARGV[4], ARGV[5], tonumber(ARGV[6])
local partition, stride = tonumber(ARGV[7]), tonumber(ARGV[8])
local boards_max, members_max, accepted = tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11]
local default_definition = ARGV[12]
local board_count, batch_count = tonumber(ARGV[13]), tonumber(ARGV[14])
local next_arg = 15 + board_count
local counter, boards_len = tonumber(meta[4]), nil

local boards, labels, changes, memories = {}, {}, {}, {}
local label_order = {}

local changes_count = 0
local function change(text)
  changes_count = changes_count + 1
  changes[changes_count] = len(text) .. ':' .. text
end

-- Most times of a call are one and the same.
local last_time, last_time_text
local function time_text(time)
  if time ~= last_time then last_time, last_time_text = time, fmt('%.0f', time) end
  return last_time_text
end

local function define(it, id, definition)
  it.id, it.definition = id, definition
  it.order, it.kind = sub(definition, 1, 1), sub(definition, 2, 2)
  it.operator, it.timed = sub(definition, 3, 3), sub(definition, 5, 5) == '1'
  it.ops = KINDS[it.kind]
end

local function board(text)
  local it = boards[text]
  if it then return it end
  local number = tonumber(text)
  it = {zset = KEYS[3 + 2 * number], hash = KEYS[4 + 2 * number], name = ARGV[14 + number],
    rows = {}, dirty = {}, order_of_dirty = {}, members = 0}
  boards[text] = it
  -- Counting proves that the keys have the right types.
  local members, extras = call('ZCARD', it.zset), call('HLEN', it.hash)
  local text = call('HGET', KEYS[3], it.name)
  if text then
    local id, definition, created = string.match(text, '^(%S+) (%S+) (%S+)$')
    define(it, id, definition)
    it.members = members
    it.created = created
    it.stored = true
  else
    it.wiped = members > 0 or extras > 0
    it.fresh = true
  end
  return it
end

local function row(it, member)
  local found = it.rows[member]
  if found ~= nil then return found end
  found = false
  if not it.fresh then
    if it.timed then
      local text = call('HGET', it.hash, member)
      if text then
        local space = find(text, ' ', 1, true)
        local score = sub(text, 1, space - 1)
        found = {score = it.kind == 'i' and score or float(score),
          at = tonumber(sub(text, space + 1))}
      end
    else
      local score = call('ZSCORE', it.zset, member)
      if score and it.kind == 'f' then
        found = {score = float(score)}
      elseif score then
        local x = tonumber(score)
        if x > -EXACT and x < EXACT then
          found = {score = fmt('%.0f', x)}
        else
          found = {score = call('HGET', it.hash, member)}
        end
      end
    end
  end
  it.rows[member] = found
  return found
end

local function put(it, member, value)
  it.rows[member] = value
  if not it.dirty[member] then
    it.dirty[member] = true
    it.order_of_dirty[#it.order_of_dirty + 1] = member
  end
end

local function create(it, definition, now)
  boards_len = boards_len or call('HLEN', KEYS[3])
  if boards_len >= boards_max then return false end
  boards_len = boards_len + 1
  counter = counter + 1
  define(it, fmt('%.0f', counter * stride + partition), definition)
  it.created = now
  it.renewed = true
  change('b' .. it.id .. ' ' .. definition .. ' ' .. it.name)
  return true
end

-- Score and time after the write; nil if nothing changes; or nil and what is wrong.
local function resolve(it, old, operand, operator, at, now)
  if not old then return operand, at or now end
  local ops, time = it.ops, at
  if not time then
    time = old.at
    if not time or time < now then time = now end
  end
  if operator == '' then operator = it.operator end
  if operator == 'l' and old.at and old.at > time then return nil end
  if operator == 'b' then operator = it.order == 'd' and 'x' or 'm' end
  local score = operand
  if operator == 's' then
    score = ops.add(old.score, operand)
    if score == nil then
      return nil, it.kind == 'i' and 'xo' .. it.kind .. ' ' .. ops.text(old.score) or 'xn'
    end
    if old.at and old.at > time then time = old.at end
  elseif operator == 'm' then
    if ops.compare(old.score, operand) <= 0 then score = old.score end
  elseif operator == 'x' then
    if ops.compare(old.score, operand) >= 0 then score = old.score end
  end
  if ops.compare(score, old.score) == 0 then return nil end
  return score, time
end

local function write(it, member, int, real, operator, at, now, auto_create)
  if not it.id and not auto_create then return 'xB' end
  if not it.id then
    -- The default definition holds integers.
    if int == '' then return 'xki' end
    if not create(it, default_definition, time_text(now)) then return 'xT' end
  end
  local operand = it.kind == 'i' and int or real
  if operand == '' then return 'xk' .. it.kind end
  if it.kind == 'f' then operand = float(operand) end
  local old = row(it, member)
  local time = at ~= '' and tonumber(at) or nil
  local score, wrong
  score, time, wrong = resolve(it, old, operand, operator, time, now)
  if score == nil then
    wrong = time
    if wrong then return wrong end
    return 'u' .. it.kind .. ' ' .. it.ops.text(old.score)
  end
  if not old then
    if it.members >= members_max then return 'xF' .. fmt('%.0f', it.members + 1) end
    it.members = it.members + 1
  end
  -- Where no times are kept, the next intent of this call must not find one either.
  local kind, text, since = it.kind, it.ops.text(score), time_text(time)
  put(it, member, {score = score, text = text, at = it.timed and time or nil,
    stored = it.timed and text .. ' ' .. since or nil})
  change('s' .. it.id .. ' ' .. since .. ' ' .. kind .. text .. ' ' .. member)
  return 'w' .. kind .. ' ' .. text .. ' ' .. (old and it.ops.text(old.score) or '-')
end

local function remove(it, member)
  if not it.id then return 'xB' end
  if not row(it, member) then return 'xM' end
  put(it, member, false)
  it.members = it.members - 1
  change('r' .. it.id .. ' ' .. member)
  return 'R'
end

local function delete(it)
  if not it.id then return 'xB' end
  change('d' .. it.id)
  boards_len = (boards_len or call('HLEN', KEYS[3])) - 1
  it.id, it.fresh, it.renewed, it.wiped, it.members = nil, true, false, true, 0
  it.rows, it.dirty, it.order_of_dirty = {}, {}, {}
  return 'D'
end

local function label(member, text)
  local old = labels[member]
  if old == nil then old = call('HGET', KEYS[4], member) end
  if old == text then return text and 'K' or 'xM' end
  if labels[member] == nil then label_order[#label_order + 1] = member end
  labels[member] = text
  change(text and 'l' .. len(member) .. ' ' .. member .. text or 'u' .. member)
  return 'L'
end

-- One intent, read from the arguments.
local function carry_out(now, now_text, auto_create)
  local a = next_arg
  local what = ARGV[a]
  if what == 'w' then
    next_arg = a + 7
    return write(board(ARGV[a + 1]), ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5],
      ARGV[a + 6], now, auto_create)
  elseif what == 'r' then
    next_arg = a + 3
    return remove(board(ARGV[a + 1]), ARGV[a + 2])
  elseif what == 'c' then
    next_arg = a + 3
    local it = board(ARGV[a + 1])
    if it.id then
      return it.definition == ARGV[a + 2] and 'E' .. it.id or 'xD' .. it.definition
    end
    return create(it, ARGV[a + 2], now_text) and 'C' .. it.id or 'xT'
  elseif what == 'd' then
    next_arg = a + 2
    return delete(board(ARGV[a + 1]))
  elseif what == 'l' then
    next_arg = a + 3
    return label(ARGV[a + 1], ARGV[a + 2])
  elseif what == 'u' then
    next_arg = a + 2
    return label(ARGV[a + 1], false)
  end
  -- What the node has refused already.
  next_arg = a + 1
  return 'xX'
end

-- What is remembered of the replies: of one, all; of many, how many, and the refused ones.
local function memory_of(replies)
  if #replies == 2 then return '1' .. replies[2] end
  local applied, unchanged, refused = 0, 0, {}
  for i = 2, #replies do
    local first = sub(replies[i], 1, 1)
    if first == 'x' then
      local text = (i - 2) .. ' ' .. replies[i]
      refused[#refused + 1] = len(text) .. ':' .. text
    elseif first == 'u' or first == 'E' or first == 'K' then
      unchanged = unchanged + 1
    else
      applied = applied + 1
    end
  end
  return 'm' .. applied .. ' ' .. unchanged .. ' ' .. table.concat(refused)
end

-- How many arguments an intent has.
local WIDTHS = {w = 7, r = 3, c = 3, d = 2, l = 3, u = 2, x = 1}

local answer, keyed = {'ok', '', ''}, 0
for _ = 1, batch_count do
  local digest, horizon, now = ARGV[next_arg], ARGV[next_arg + 1], ARGV[next_arg + 2]
  local auto_create, count = ARGV[next_arg + 3] == '1', tonumber(ARGV[next_arg + 4])
  next_arg = next_arg + 5
  local memory, key = nil, nil
  if digest ~= '' then
    keyed = keyed + 1
    key = KEYS[4 + 2 * board_count + keyed]
    memory = memories[key] and memories[key].text or call('GET', key)
  end
  local replies = {'f'}
  if memory then
    for _ = 1, count do next_arg = next_arg + WIDTHS[ARGV[next_arg]] end
    if sub(memory, 1, 32) == digest then
      replies = {'r', sub(memory, 33)}
    else
      replies = {'k'}
    end
  else
    local number = tonumber(now)
    for i = 1, count do replies[i + 1] = carry_out(number, now, auto_create) end
    if key then memories[key] = {text = digest .. memory_of(replies), horizon = horizon} end
  end
  answer[#answer + 1] = replies
end

-- How many bytes of changes were ever written, and how many of them before the oldest entry: about,
-- as entries that went because of their number are noticed when there seem to be too many bytes.
-- Then half of the entries go, so that this is rare.
local changed = table.concat(changes)
local bytes, tail = tonumber(meta[5] or '0') + len(changed), tonumber(meta[6] or '0')
local entries_left = nil

local function bytes_before(entry)
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'w' then return tonumber(fields[i + 1]) end
  end
  return 0
end

if changes_count > 0 and bytes - tail > bytes_max then
  local oldest = call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if oldest then tail = bytes_before(oldest) end
  if bytes - tail > bytes_max then
    entries_left = math.floor(call('XLEN', KEYS[2]) / 2)
  end
end

-- From here on there are only writes.
local function chunked(command, key, list)
  for from = 1, #list, 1000 do
    call(command, key, unpack(list, from, math.min(from + 999, #list)))
  end
end

local function store_rows(it)
  local zadd, zrem, hset, hdel = {}, {}, {}, {}
  for _, member in ipairs(it.order_of_dirty) do
    local value = it.rows[member]
    if value then
      local text = value.text
      zadd[#zadd + 1], zadd[#zadd + 2] = text, member
      if it.timed then
        hset[#hset + 1], hset[#hset + 2] = member, value.stored
      elseif it.kind == 'i' then
        local x = tonumber(text)
        if x > -EXACT and x < EXACT then
          hdel[#hdel + 1] = member
        else
          hset[#hset + 1], hset[#hset + 2] = member, text
        end
      end
    else
      zrem[#zrem + 1] = member
      hdel[#hdel + 1] = member
    end
  end
  chunked('ZADD', it.zset, zadd)
  chunked('HSET', it.hash, hset)
  chunked('ZREM', it.zset, zrem)
  chunked('HDEL', it.hash, hdel)
end

local function store_board(it)
  if it.wiped then call('UNLINK', it.zset, it.hash) end
  if it.renewed then
    call('HSET', KEYS[3], it.name, it.id .. ' ' .. it.definition .. ' ' .. it.created)
  elseif it.stored and not it.id then
    call('HDEL', KEYS[3], it.name)
  end
  if it.id then store_rows(it) end
end

if changes_count > 0 then
  sequence = sequence + 1
  local text = fmt('%.0f', sequence)
  call('XADD', KEYS[2], 'MAXLEN', '~', entries_max, text .. '-0', 'i', meta[1], 'n', nonce,
    'p', meta[3], 't', accepted, 'w', fmt('%.0f', bytes - len(changed)), 'c', changed)
  call('HSET', KEYS[1], 'seq', text, 'nonce', nonce, 'board', fmt('%.0f', counter),
    'bytes', fmt('%.0f', bytes), 'tail', fmt('%.0f', tail))
  if entries_left then call('XTRIM', KEYS[2], 'MAXLEN', entries_left + 1) end
  for _, it in pairs(boards) do store_board(it) end
  for _, member in ipairs(label_order) do
    if labels[member] then
      call('HSET', KEYS[4], member, labels[member])
    else
      call('HDEL', KEYS[4], member)
    end
  end
  meta[3] = nonce
end
for key, memory in pairs(memories) do
  call('SET', key, memory.text, 'PX', memory.horizon)
end
answer[2], answer[3] = fmt('%.0f', sequence), meta[3]
return answer

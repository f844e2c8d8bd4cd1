-- Writing what the call came to. The end of `batch.lua`.

-- How many bytes of changes were ever written, and how many of them before the oldest entry: about,
-- as entries that went because of their number are noticed when there seem to be too many bytes.
-- Then half of the entries go, so that this is rare.
local changed = concat(changes)
local bytes, tail = tonumber(meta[5] or '0') + #changed, tonumber(meta[6] or '0')
local entries_left = nil

if changes_len > 0 and bytes - tail > bytes_max then
  local oldest = call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  local fields = oldest and oldest[2] or {}
  if oldest then tail = 0 end
  for i = 1, #fields, 2 do
    if fields[i] == 'w' then tail = tonumber(fields[i + 1]) end
  end
  if bytes - tail > bytes_max then
    entries_left = math.floor(call('XLEN', KEYS[2]) / 2)
  end
end

-- From here on there are only writes.
local function chunked(command, key, list, count)
  for from = 1, count, UNPACK_MAX do
    call(command, key, unpack(list, from, min(from + UNPACK_MAX - 1, count)))
  end
end

local function store_members(it)
  local zadd, zrem, hset, hdel = {}, {}, {}, {}
  local added, removed, set, unset = 0, 0, 0, 0
  local timed, is_int = it.timed, it.is_int
  for m = it.base + 1, it.last do
    local stored, member = stored_of[m], members[m]
    if stored then
      local text = is_int and score_of[m] or float_text(score_of[m])
      zadd[added + 1], zadd[added + 2] = text, member
      added = added + 2
      if timed then
        hset[set + 1], hset[set + 2] = member, stored
        set = set + 2
      elseif is_int then
        local x = tonumber(text)
        if x > -EXACT and x < EXACT then
          unset = unset + 1
          hdel[unset] = member
        else
          hset[set + 1], hset[set + 2] = member, text
          set = set + 2
        end
      end
    elseif stored == false then
      removed, unset = removed + 1, unset + 1
      zrem[removed], hdel[unset] = member, member
    end
  end
  chunked('ZADD', it.zset, zadd, added)
  chunked('HSET', it.hash, hset, set)
  chunked('ZREM', it.zset, zrem, removed)
  chunked('HDEL', it.hash, hdel, unset)
end

local function store_board(it)
  if it.wiped then call('UNLINK', it.zset, it.hash) end
  if it.renewed then
    call('HSET', KEYS[3], it.name, it.id .. ' ' .. it.definition .. ' ' .. it.created)
  elseif it.stored and not it.id then
    call('HDEL', KEYS[3], it.name)
  end
  if it.id then store_members(it) end
end

if changes_len > 0 then
  sequence = sequence + 1
  local text = fmt('%.0f', sequence)
  call('XADD', KEYS[2], 'MAXLEN', '~', entries_max, text .. '-0', 'i', meta[1], 'n', nonce,
    'p', meta[3], 't', accepted, 'w', fmt('%.0f', bytes - #changed), 'c', changed)
  call('HSET', KEYS[1], 'seq', text, 'nonce', nonce, 'board', fmt('%.0f', counter),
    'bytes', fmt('%.0f', bytes), 'tail', fmt('%.0f', tail))
  if entries_left then call('XTRIM', KEYS[2], 'MAXLEN', entries_left + 1) end
  for number = 1, board_count do store_board(boards[number]) end
  local hset, hdel = {}, {}
  for _, member in ipairs(label_order) do
    if labels[member] then
      hset[#hset + 1], hset[#hset + 2] = member, labels[member]
    else
      hdel[#hdel + 1] = member
    end
  end
  chunked('HSET', KEYS[4], hset, #hset)
  chunked('HDEL', KEYS[4], hdel, #hdel)
  meta[3] = nonce
end
for key, memory in pairs(memories) do call('SET', key, memory, 'PX', horizon) end
return {'ok', fmt('%.0f', sequence), meta[3], concat(answers)}

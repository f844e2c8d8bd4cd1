-- One call: batches of intents, resolved against what is stored, and written with their changes.
--
-- First everything is read and resolved, without a write. Then the stream's entry is written, which
-- is the only write that may be refused (out of memory, a wrong id); nothing after it can fail: the
-- types of all keys were proved by reading them.
--
-- Cost: two reads and two writes a board, whatever the number of its members; the rest is Lua's. A
-- function costs a call about as much as a write, whether it is used or not, so there are few here:
-- plain writes have a way of their own (`plain.lua`), and everything else is made when it is first
-- needed (`general.lua`). Between them they share the locals of this file.
--
-- KEYS: meta, stream, boards, labels, then sorted set and hash of each board, then one key for each
-- batch that has an idempotency key, in order.
-- ARGV: incarnation, sequence and nonce that the node knows, new nonce, entries and bytes of
-- changes that the stream keeps, number of the partition, stride of ids, most boards, most members,
-- time of acceptance, definition of boards that writes create, how long to remember idempotency
-- keys in ms, number of batches; then three MessagePack arrays:
--   name of each board and how many members the intents name on it;
--   those members, board by board, none of them twice on one board;
--   for each batch: digest of the request ('' without a key), time of acceptance, whether writes
--   may create boards, number of runs; for each run: a letter, and
--     w  board, operator, n, then n times: member, score as boards of either kind take it
--     v  board, operator, n, then n times: member, score as an integer, as a double ('' where it is
--        none), time or ''
--     r  board, n, then n members     c  board, definition      d  board
--     l  member, display name         u  member                 x  n that the node has refused
--   with boards numbered from 1, and members from 1 on each board.
-- Answer: {'ok', sequence, nonce, lines}, or why nothing was done. Each batch is a line 'f' with a
-- line for each intent after it, a line 'r' with what was remembered, or a line 'k'.

local EXACT = 9007199254740992
-- Locals: every look at a global is one into a table.
local fmt, sub, find, concat, unpack = string.format, string.sub, string.find, table.concat, unpack
local min, call, tonumber, KEYS, ARGV = math.min, redis.call, tonumber, KEYS, ARGV

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
local default_definition, horizon, batch_count = ARGV[12], ARGV[13], tonumber(ARGV[14])
local board_list, members = cmsgpack.unpack(ARGV[15]), cmsgpack.unpack(ARGV[16])
local intents = cmsgpack.unpack(ARGV[17])
local counter, boards_len = tonumber(meta[4]), nil
local board_count = #board_list / 2
-- Most that one command is given: what Lua can unpack has a limit of 8000.
local UNPACK_MAX = 2000

local boards, labels, label_order, memories = {}, {}, {}, {}
-- Of each member, by its place among all of the call: what is stored; score and time as of now,
-- false where there is none, nil where nobody has looked; and what the hash is to hold, true where
-- it holds no times, false to remove the member.
local raw, score_of, time_of, stored_of = {}, {}, {}, {}

-- Changes and answers are pieces of text that are put together once.
local changes, changes_len, answers, answers_len = {}, 0, {}, 0
-- Lengths as changes begin with them.
local lengths = {}

-- Most times of a call are one and the same.
local last_time, last_time_text
local function time_text(time)
  if time ~= last_time then last_time, last_time_text = time, fmt('%.0f', time) end
  return last_time_text
end

local function define(it, id, definition)
  it.id, it.definition = id, definition
  it.kind, it.timed = sub(definition, 2, 2), sub(definition, 5, 5) == '1'
  it.best = sub(definition, 1, 1) == 'd' and 'x' or 'm'
  it.operator = sub(definition, 3, 3)
  it.is_int = it.kind == 'i'
end

local function read_members(command, it, key)
  for from = it.base + 1, it.last, UNPACK_MAX do
    local values = call(command, key, unpack(members, from, min(from + UNPACK_MAX - 1, it.last)))
    for i = 1, #values do raw[from - 1 + i] = values[i] end
  end
end

-- Every key that a board's writes will touch is read, which proves that it has the right type.
local function read_board(it, text)
  local count = call('ZCARD', it.zset)
  if not text then
    it.wiped = call('HLEN', it.hash) > 0 or count > 0
    return
  end
  local id, definition, created = string.match(text, '^(%S+) (%S+) (%S+)$')
  define(it, id, definition)
  it.members, it.created, it.stored = count, created, true
  if it.timed and it.last > it.base then
    read_members('HMGET', it, it.hash)
  else
    call('HLEN', it.hash)
    if it.last > it.base then read_members('ZMSCORE', it, it.zset) end
  end
end

local last = 0
for from = 1, board_count, UNPACK_MAX do
  local names, to = {}, min(from + UNPACK_MAX - 1, board_count)
  for number = from, to do
    local it = {zset = KEYS[3 + 2 * number], hash = KEYS[4 + 2 * number], members = 0,
      name = board_list[2 * number - 1], base = last}
    last = last + board_list[2 * number]
    it.last = last
    boards[number], names[#names + 1] = it, it.name
  end
  local texts = call('HMGET', KEYS[3], unpack(names))
  for i = 1, #names do read_board(boards[from - 1 + i], texts[i]) end
end

-- What `general.lua` makes when it is first needed.
local RUNS, skip, memory_of, write, float_text


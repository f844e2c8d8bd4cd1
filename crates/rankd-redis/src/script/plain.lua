-- Plain writes: runs without times of their own on boards of integers that keep times, without
-- calls and texts that can be avoided. Then the batches, one after the other.

-- Score and time of what a board that keeps times has stored.
local parsed_time, parsed_time_text
local function parse(text)
  local space = find(text, ' ', 1, true)
  local time = sub(text, space + 1)
  if time ~= parsed_time_text then parsed_time, parsed_time_text = tonumber(time), time end
  return sub(text, 1, space - 1), parsed_time
end

-- A run, from the place of its first member on. Scores of the intents are less than 2^53, so they
-- compare as doubles with any integer; sums are made where they are exact.
local function write_plain(a, count, it, operator, now)
  local base, since = it.base, time_text(now)
  local set, tail = 's' .. it.id .. ' ' .. since .. ' i', ' ' .. since
  local bytes = #set + 1
  local letter = operator == '' and it.operator or operator
  if letter == 'b' then letter = it.best end
  for i = a, a + 2 * count - 2, 2 do
    local m, score = base + intents[i], intents[i + 1]
    local old, time, is_same = score_of[m], time_of[m], false
    if old == nil then
      old = raw[m]
      if old then old, time = parse(old) end
    end
    if old then
      if letter == 'x' then
        is_same = tonumber(old) >= tonumber(score)
      elseif letter == 'm' then
        is_same = tonumber(old) <= tonumber(score)
      else
        if letter == 's' then
          local x = tonumber(old)
          local sum = x + tonumber(score)
          local is_exact = x > -EXACT and x < EXACT and sum > -EXACT and sum < EXACT
          score = is_exact and (sum == 0 and '0' or fmt('%.0f', sum))
        end
        is_same = score == old
      end
    end
    if not score or (old and time > now) or (not old and it.members >= members_max) then
      if not RUNS then make_general() end
      write(it, m, intents[i + 1], '', operator, nil, now)
    elseif is_same then
      answers[answers_len + 1], answers[answers_len + 2] = '\nui ', old
      answers_len = answers_len + 2
    else
      if not old then it.members = it.members + 1 end
      score_of[m], time_of[m], stored_of[m] = score, now, score .. tail
      local member, n = members[m], changes_len
      local length = bytes + #score + #member
      local length_text = lengths[length]
      if not length_text then
        length_text = length .. ':'
        lengths[length] = length_text
      end
      changes[n + 1], changes[n + 2], changes[n + 3] = length_text, set, score
      changes[n + 4], changes[n + 5] = ' ', member
      changes_len, n = n + 5, answers_len
      answers[n + 1], answers[n + 2] = '\nwi ', score
      answers[n + 3], answers[n + 4] = ' ', old or '-'
      answers_len = n + 4
    end
  end
end

local place, keyed = 1, 0
for _ = 1, batch_count do
  local digest, now_text = intents[place], intents[place + 1]
  local auto_create, count = intents[place + 2] == 1, intents[place + 3]
  place = place + 4
  local memory, key = nil, nil
  if digest ~= '' then
    keyed = keyed + 1
    key = KEYS[4 + 2 * board_count + keyed]
    memory = memories[key] or call('GET', key)
  end
  if memory then
    if not RUNS then make_general() end
    for _ = 1, count do place = skip(place) end
    answers_len = answers_len + 1
    answers[answers_len] = sub(memory, 1, 32) == digest and '\nr' .. sub(memory, 33) or '\nk'
  else
    local now = tonumber(now_text)
    answers_len = answers_len + 1
    answers[answers_len] = '\nf'
    local from = answers_len + 1
    for _ = 1, count do
      local letter = intents[place]
      local it = letter == 'w' and boards[intents[place + 1]]
      if it and it.id and it.is_int and it.timed then
        local writes = intents[place + 3]
        write_plain(place + 4, writes, it, intents[place + 2], now)
        place = place + 4 + 2 * writes
      else
        if not RUNS then make_general() end
        place = RUNS[letter](place + 1, now, now_text, auto_create)
      end
    end
    if key and not RUNS then make_general() end
    if key then memories[key] = digest .. memory_of(concat(answers, '', from, answers_len)) end
  end
end


-- What most calls do without: numbers beyond doubles, floats, boards without times, and everything
-- that is no plain write. One function around all makes them when they are first needed.

local function make_general()
  local INFINITY = math.huge

  -- Integers are decimal strings: Lua's numbers are doubles.
  local function halves(text)
    local sign = 1
    if sub(text, 1, 1) == '-' then
      sign = -1
      text = sub(text, 2)
    end
    if #text <= 9 then return 0, sign * tonumber(text) end
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

  function float_text(x)
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

  local function change(text)
    changes[changes_len + 1], changes[changes_len + 2] = #text .. ':', text
    changes_len = changes_len + 2
  end

  local function reply(text)
    answers_len = answers_len + 1
    answers[answers_len] = text
  end

  -- The score that is stored, or false.
  local function load(it, m)
    local text, score = raw[m], false
    if text and it.timed then
      local space = find(text, ' ', 1, true)
      score, time_of[m] = sub(text, 1, space - 1), tonumber(sub(text, space + 1))
      if not it.is_int then score = float(score) end
    elseif text and it.is_int then
      local x = tonumber(text)
      if x > -EXACT and x < EXACT then
        score = fmt('%.0f', x)
      else
        score = call('HGET', it.hash, members[m])
      end
    elseif text then
      score = float(text)
    end
    score_of[m] = score
    return score
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
  local function resolve(it, old, old_time, operand, operator, at, now)
    local ops, time = KINDS[it.kind], at
    if not time then
      time = old_time
      if not time or time < now then time = now end
    end
    if operator == 'l' and old_time and old_time > time then return nil end
    local score = operand
    if operator == 's' then
      score = ops.add(old, operand)
      if score == nil then
        return nil, it.is_int and '\nxoi ' .. old or '\nxn'
      end
      if old_time and old_time > time then time = old_time end
    elseif operator == 'm' then
      if ops.compare(old, operand) <= 0 then return nil end
    elseif operator == 'x' then
      if ops.compare(old, operand) >= 0 then return nil end
    end
    if ops.compare(score, old) == 0 then return nil end
    return score, time
  end

  -- One write; `int` is not '' where the board is still to be made by it, or it is refused.
  function write(it, m, int, real, operator, at, now, auto_create)
    if not it.id then
      if not auto_create then return reply('\nxB') end
      -- The default definition holds integers.
      if int == '' then return reply('\nxki') end
      if not create(it, default_definition, time_text(now)) then return reply('\nxT') end
    end
    local is_int = it.is_int
    local operand = is_int and int or real
    if operand == '' then return reply('\nxk' .. it.kind) end
    if not is_int then operand = float(operand) end
    if operator == '' then operator = it.operator end
    if operator == 'b' then operator = it.best end
    local old, score, time = score_of[m], operand, at or now
    if old == nil then old = load(it, m) end
    if old then
      score, time = resolve(it, old, time_of[m], operand, operator, at, now)
      if not score then
        return reply(time or '\nu' .. it.kind .. ' ' .. KINDS[it.kind].text(old))
      end
    elseif it.members >= members_max then
      return reply('\nxF' .. fmt('%.0f', it.members + 1))
    else
      it.members = it.members + 1
    end
    local text = is_int and score or float_text(score)
    local since = time_text(time)
    score_of[m] = score
    -- Where no times are kept, the next intent of this call must not find one either.
    if it.timed then
      time_of[m], stored_of[m] = time, text .. ' ' .. since
    else
      stored_of[m] = true
    end
    change('s' .. it.id .. ' ' .. since .. ' ' .. it.kind .. text .. ' ' .. members[m])
    reply('\nw' .. it.kind .. ' ' .. text .. ' ' .. (old and KINDS[it.kind].text(old) or '-'))
  end

  local function remove(it, m)
    if not it.id then return reply('\nxB') end
    local old = score_of[m]
    if old == nil then old = load(it, m) end
    if not old then return reply('\nxM') end
    score_of[m], time_of[m], stored_of[m] = false, nil, false
    it.members = it.members - 1
    change('r' .. it.id .. ' ' .. members[m])
    reply('\nR')
  end

  local function delete(it)
    if not it.id then return reply('\nxB') end
    change('d' .. it.id)
    boards_len = (boards_len or call('HLEN', KEYS[3])) - 1
    it.id, it.renewed, it.wiped, it.members = nil, false, true, 0
    for m = it.base + 1, it.last do score_of[m], time_of[m], stored_of[m] = false, nil, nil end
    reply('\nD')
  end

  local function label(member, text)
    local old = labels[member]
    if old == nil then old = call('HGET', KEYS[4], member) end
    if old == text then return reply(text and '\nK' or '\nxM') end
    if labels[member] == nil then label_order[#label_order + 1] = member end
    labels[member] = text
    change(text and 'l' .. #member .. ' ' .. member .. text or 'u' .. member)
    reply('\nL')
  end

  -- Runs, by their letters: each is given the place after its letter, and returns the place after
  -- itself. Its time of acceptance is a number and a text.
  RUNS = {
    w = function(a, now, _, auto_create)
      local it, operator, count = boards[intents[a]], intents[a + 1], intents[a + 2]
      local base = it.base
      a = a + 3
      for i = a, a + 2 * count - 2, 2 do
        local operand = intents[i + 1]
        write(it, base + intents[i], operand, operand, operator, nil, now, auto_create)
      end
      return a + 2 * count
    end,
    v = function(a, now, _, auto_create)
      local it, operator, count = boards[intents[a]], intents[a + 1], intents[a + 2]
      local base = it.base
      a = a + 3
      for i = a, a + 4 * count - 4, 4 do
        local at = intents[i + 3]
        at = at ~= '' and tonumber(at) or nil
        write(it, base + intents[i], intents[i + 1], intents[i + 2], operator, at, now, auto_create)
      end
      return a + 4 * count
    end,
    r = function(a)
      local it, count = boards[intents[a]], intents[a + 1]
      for i = a + 2, a + 1 + count do remove(it, it.base + intents[i]) end
      return a + 2 + count
    end,
    c = function(a, _, now)
      local it, definition = boards[intents[a]], intents[a + 1]
      if it.id then
        reply(it.definition == definition and '\nE' .. it.id or '\nxD' .. it.definition)
      else
        reply(create(it, definition, now) and '\nC' .. it.id or '\nxT')
      end
      return a + 2
    end,
    d = function(a)
      delete(boards[intents[a]])
      return a + 1
    end,
    l = function(a)
      label(intents[a], intents[a + 1])
      return a + 2
    end,
    u = function(a)
      label(intents[a], false)
      return a + 1
    end,
    x = function(a)
      for _ = 1, intents[a] do reply('\nxX') end
      return a + 1
    end,
  }

  -- How many places a run has after its letter: those that are always there, where among them it
  -- says how often it repeats, and how many places each repetition has.
  local WIDTHS = {w = {3, 2, 2}, v = {3, 2, 4}, r = {2, 1, 1}, c = {2}, d = {1}, l = {2}, u = {1},
    x = {1}}

  function skip(a)
    local width = WIDTHS[intents[a]]
    local each = width[2] and intents[a + 1 + width[2]] * width[3] or 0
    return a + 1 + width[1] + each
  end

  -- What is remembered of the replies: of one, all; of many, how many, and the refused ones.
  function memory_of(lines)
    local applied, unchanged, refused, position = 0, 0, {}, 0
    for line in string.gmatch(lines, '\n([^\n]*)') do
      local first = sub(line, 1, 1)
      if first == 'x' then
        local text = position .. ' ' .. line
        refused[#refused + 1] = #text .. ':' .. text
      elseif first == 'u' or first == 'E' or first == 'K' then
        unchanged = unchanged + 1
      else
        applied = applied + 1
      end
      position = position + 1
    end
    if position == 1 then return '1' .. sub(lines, 2) end
    return 'm' .. applied .. ' ' .. unchanged .. ' ' .. concat(refused)
  end
end


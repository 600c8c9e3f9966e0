-- The quota of one app: what may start now, what an answer says of the limits, what was forgotten.
--
--   take     all limits of a call, or none: go | wait until t because of L | unknown (this Redis is a fresh one)
--   settle   a call is over: its place is free, its answer's figures and refusals are taken over
--   join     a process says what it knows of blocks and months, and learns the name of this Redis' memory
--   rejoin   a call that was in flight when Redis forgot is in flight again
--   look     what is counted and known of the limits of a call, for people to see; nothing is written
--
-- KEYS: marker, then state and flight of the app, then those of the organisation if there is one, then one key
-- for each RATE and each MONTH. For `join`: marker, the app's state, then those that its blocks and days belong to.
--   state    hash: block:L = "until made", left:L, told:L (when an answer said what is left), probe:L = call,
--            next:L:floor, sure, seq (how many calls came and went)
--   flight   sorted set of calls by the real instant at which they are given up
--   rate     sorted set of calls by the calendar instant at which they no longer count
--   month    hash: day of UTC, counted from 1970 = calls that started in it
-- Instants are milliseconds: `now` is calendar time (Redis' own and an offset), `real` is not moved by anybody.

local asked = cjson.decode(ARGV[1])
local TIME = redis.call('TIME')
local real = TIME[1] * 1000 + math.floor(TIME[2] / 1000)
local now = real + asked.offset
local DAY_MS, SKEW_MS = 86400000, 5000
local MONTH_DAYS = 33

local function text(number) return string.format('%.0f', number) end

-- Whatever is written here lives at least so long, and never for ever.
local function keep(key, ms)
  ms = math.ceil(math.max(ms, 1000))
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, text(ms)) end
end

local function state_of(key)
  local flat, fields = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

local function memory()
  local marker = redis.call('GET', KEYS[1])
  if not marker then return nil, 0 end
  local name, since = string.match(marker, '^(%S+) (%d+)$')
  return name, tonumber(since) or 0
end

-- The places of a call: 1 is the app, 2 the organisation.
local function places()
  local found, count = {}, asked.organisation and 2 or 1
  for i = 1, count do found[i] = { state = KEYS[i * 2], flight = KEYS[i * 2 + 1] } end
  for _, limit in ipairs(asked.limits) do
    if limit.nth > 0 then limit.key = KEYS[count * 2 + 1 + limit.nth] end
  end
  return found
end

-- A call counts for its window from its end on, and at the latest from when it must have arrived.
local function count_in(limit, call)
  redis.call('ZADD', limit.key, text(now + limit.window + limit.late), call)
  keep(limit.key, limit.window + limit.late + asked.life)
end

local function today() return math.floor(now / DAY_MS) end

-- When the last call of a day no longer counts, if it arrived as late as can be.
local function day_ends(limit, day) return (day + 1) * DAY_MS + limit.window + limit.late end

local function count_day(limit, calls)
  local counted = redis.call('HINCRBY', limit.key, text(today()), text(calls))
  keep(limit.key, limit.window + DAY_MS * 2)
  return counted
end

local function enter(place, call)
  redis.call('ZADD', place.flight, text(real + asked.life), call)
  keep(place.flight, asked.life * 2)
  local seq = redis.call('HINCRBY', place.state, 'seq', 1)
  keep(place.state, DAY_MS * 2)
  return seq
end

---------------------------------------------------------------------------------------------------- take

local refusal
local function refuse(limit, till, soon)
  if not refusal or till > refusal.till then refusal = { limit = limit, till = till, soon = soon } end
end

-- Until when a block stands; nil where it is over, or was made when the calendar was far ahead.
local function standing(block)
  local till, made = string.match(block, '^(%d+) (%d+)$')
  till, made = tonumber(till), tonumber(made)
  if till and till > now and made <= now + SKEW_MS then return till end
end

local function look_at_blocks(place)
  for field, value in pairs(place.fields) do
    local limit = string.match(field, '^block:(.*)$')
    if limit then
      local till = standing(value)
      if till then
        refuse(limit, till, false)
      else
        redis.call('HDEL', place.state, field)
      end
    end
  end
end

local function look_at_rate(limit, places)
  redis.call('ZREMRANGEBYSCORE', limit.key, '-inf', text(now - asked.life))
  redis.call('ZREMRANGEBYSCORE', limit.key, '(' .. text(now + limit.window + limit.late + SKEW_MS), '+inf')
  local over = redis.call('ZCOUNT', limit.key, '(' .. text(now), '+inf') + 1 - limit.most
  if over < 1 then return end
  if limit.most < 1 then return refuse(limit.name, now + limit.window, false) end
  local last = redis.call('ZRANGEBYSCORE', limit.key, '(' .. text(now), '+inf', 'WITHSCORES', 'LIMIT', over - 1, 1)
  local till = tonumber(last[2])
  -- While that call is in flight its instant is the latest possible one: look again when it may be over.
  local flying = redis.call('ZSCORE', places[limit.place].flight, last[1])
  if flying then till = math.max(till - limit.late, now) end
  refuse(limit.name, till, till <= now)
end

-- The days that still count, the first one first, the sum of their calls, and the fields of those that do not.
local function days_of(limit)
  local days, sum, over = {}, 0, {}
  local flat = redis.call('HGETALL', limit.key)
  for i = 1, #flat, 2 do
    local day, calls = tonumber(flat[i]), tonumber(flat[i + 1])
    if day_ends(limit, day) <= now or day * DAY_MS > now + SKEW_MS then
      over[#over + 1] = flat[i]
    else
      days[#days + 1], sum = { day = day, calls = calls }, sum + calls
    end
  end
  table.sort(days, function(one, other) return one.day < other.day end)
  return days, sum, over
end

-- The same, and those that no longer count are dropped.
local function count_days(limit)
  local days, sum, over = days_of(limit)
  for _, field in ipairs(over) do redis.call('HDEL', limit.key, field) end
  return days, sum
end

-- When so many calls of these days no longer count; nil where they are fewer.
local function days_free(limit, days, calls)
  for _, one in ipairs(days) do
    calls = calls - one.calls
    if calls < 1 then return day_ends(limit, one.day) end
  end
end

local function look_at_month(limit)
  local days, sum = count_days(limit)
  local over = sum + 1 - limit.most
  if over < 1 then return end
  if limit.most < 1 then return refuse(limit.name, now + limit.window, false) end
  refuse(limit.name, days_free(limit, days, over), false)
end

-- When a day that is spent is asked for again; nil where a call may do so now.
local function asked_again(limit, fields, floor)
  local following = tonumber(fields['next:' .. limit.name .. ':' .. floor])
  if following and following > now and following <= now + asked.probe + SKEW_MS then return following end
end

-- The day is never begun anew here: when it is spent, one call at a time finds out whether it was, and not before an
-- hour has passed since an answer said that it is.
local function look_at_day(limit, place)
  local left = tonumber(place.fields['left:' .. limit.name]) or limit.most
  limit.left, limit.probing = left, left <= limit.floor
  if not limit.probing then return end
  local probe = place.fields['probe:' .. limit.name]
  if probe and redis.call('ZSCORE', place.flight, probe) then return refuse(limit.name, now, true) end
  local following = asked_again(limit, place.fields, limit.floor)
  if following then refuse(limit.name, following, false) end
end

-- Where this Redis forgot what was counted, one call at a time until an answer says what is left.
local function look_at_doubt(place, since)
  if not place or real >= since + asked.doubt or place.fields.sure then return end
  if redis.call('ZCARD', place.flight) > 0 then refuse('restart', now, true) end
end

local function look_at_all(all, since)
  for _, place in ipairs(all) do
    place.fields = state_of(place.state)
    redis.call('ZREMRANGEBYSCORE', place.flight, '-inf', text(real))
    look_at_blocks(place)
  end
  for _, limit in ipairs(asked.limits) do
    local place = all[limit.place]
    if limit.kind == 'RATE' then
      look_at_rate(limit, all)
    elseif limit.kind == 'MONTH' then
      look_at_month(limit)
    elseif limit.kind == 'DAY' then
      look_at_day(limit, place)
    elseif redis.call('ZCARD', place.flight) >= limit.most then
      refuse(limit.name, now, true)
    end
  end
  look_at_doubt(all[2], since)
end

local function spend_day(limit, place)
  redis.call('HSET', place.state, 'left:' .. limit.name, text(math.max(0, limit.left - 1)))
  if limit.probing then
    redis.call('HSET', place.state, 'probe:' .. limit.name, asked.call,
      'next:' .. limit.name .. ':' .. limit.floor, text(now + asked.probe))
  end
end

local function take()
  local name, since = memory()
  if not name or name ~= asked.memory then return { 'unknown', text(real) } end
  redis.call('PEXPIRE', KEYS[1], DAY_MS)
  local all = places()
  look_at_all(all, since)
  if refusal then
    return { 'wait', text(real), refusal.limit, text(refusal.till), refusal.soon and '1' or '0' }
  end
  local answer = { 'go', text(real), text(now), '0', '0' }
  for i, place in ipairs(all) do answer[3 + i] = text(enter(place, asked.call)) end
  for _, limit in ipairs(asked.limits) do
    if limit.kind == 'RATE' then count_in(limit, asked.call) end
    if limit.kind == 'DAY' then spend_day(limit, all[limit.place]) end
    if limit.kind == 'MONTH' then
      for _, said in ipairs({ limit.name, text(today()), text(count_day(limit, 1)) }) do
        answer[#answer + 1] = said
      end
    end
  end
  return answer
end

-------------------------------------------------------------------------------------------------- settle

-- More was spent than we know of: it counts for a window from now. Less: believed only of the last call alone.
local function correct_rate(limit, place, left)
  local used = math.min(limit.most, math.max(0, limit.most - left))
  local known = redis.call('ZCOUNT', limit.key, '(' .. text(asked.granted), '+inf')
  for i = 1, used - known do
    redis.call('ZADD', limit.key, text(now + limit.window), asked.call .. ':' .. i)
  end
  if used > known then keep(limit.key, limit.window + limit.late + asked.life) end
  if not place.alone then return end
  local counted = redis.call('ZCOUNT', limit.key, '(' .. text(now), '+inf')
  if counted <= used then return end
  for _, call in ipairs(redis.call('ZRANGEBYSCORE', limit.key, '(' .. text(now), '+inf', 'LIMIT', 0, counted - used)) do
    redis.call('ZREM', limit.key, call)
  end
end

-- A provider's month may begin anew where ours does not, so only figures that are lower are believed.
local function correct_month(limit, left)
  local _, known = count_days(limit)
  local used = math.min(limit.most, limit.most - left)
  if used > known then count_day(limit, used - known) end
end

local function correct_day(limit, place, told)
  local field, probe = 'left:' .. limit.name, 'probe:' .. limit.name
  local is_probe = place.fields[probe] == asked.call
  if told then
    local left, least = tonumber(place.fields[field]), math.max(0, told - place.others)
    if place.alone then
      redis.call('HSET', place.state, field, text(told))
    elseif not left or least < left then
      redis.call('HSET', place.state, field, text(least))
    end
    redis.call('HSET', place.state, 'told:' .. limit.name, text(now))
    if told <= limit.floor then
      redis.call('HSET', place.state, 'next:' .. limit.name .. ':' .. limit.floor, text(now + asked.probe))
    end
  elseif is_probe and asked.answered and not asked.throttled and not place.fields['told:' .. limit.name] then
    redis.call('HSET', place.state, field, text(limit.most))
  elseif is_probe then
    redis.call('HSET', place.state, 'next:' .. limit.name .. ':' .. limit.floor, text(now + asked.soon))
  end
  if is_probe then redis.call('HDEL', place.state, probe) end
end

local function block(state, limit, till)
  local before = redis.call('HGET', state, 'block:' .. limit)
  if before then till = math.max(till, tonumber(string.match(before, '^%d+'))) end
  redis.call('HSET', state, 'block:' .. limit, text(till) .. ' ' .. text(now))
  keep(state, math.max(DAY_MS * 2, till - now + DAY_MS))
end

local function take_over_refusal(all)
  local hit = asked.throttled
  local place = all[hit.place]
  if not place then return end
  block(place.state, hit.limit, now + hit.wait)
  for _, limit in ipairs(asked.limits) do
    if limit.kind == 'DAY' and limit.name == hit.limit then
      redis.call('HSET', all[limit.place].state, 'left:' .. limit.name, '0')
    end
  end
end

local function settle()
  local all = places()
  for i, place in ipairs(all) do
    place.fields = state_of(place.state)
    redis.call('ZREM', place.flight, asked.call)
    redis.call('ZREMRANGEBYSCORE', place.flight, '-inf', text(real))
    place.others = redis.call('ZCARD', place.flight)
    -- Alone from its beginning to its end: nobody has come or gone meanwhile, and nobody is left.
    place.alone = place.others == 0 and tonumber(place.fields.seq) == asked.seqs[i]
    redis.call('HINCRBY', place.state, 'seq', 1)
  end
  for _, limit in ipairs(asked.limits) do
    local place, told = all[limit.place], asked.remaining[limit.name]
    if limit.kind == 'RATE' then
      local counted = redis.call('ZSCORE', limit.key, asked.call)
      if counted and tonumber(counted) > now + limit.window then
        redis.call('ZADD', limit.key, text(now + limit.window), asked.call)
      end
      if told then correct_rate(limit, place, told) end
      if told and limit.place == 2 then redis.call('HSET', place.state, 'sure', '1') end
    elseif limit.kind == 'DAY' then
      correct_day(limit, place, told)
    elseif limit.kind == 'MONTH' and told then
      correct_month(limit, told)
    end
  end
  if asked.throttled then take_over_refusal(all) end
  for _, place in ipairs(all) do
    if redis.call('EXISTS', place.state) == 1 then keep(place.state, DAY_MS * 2) end
  end
  return { 'settled', text(real) }
end

---------------------------------------------------------------------------------------------------- join

local function join()
  local name = memory()
  if not name then
    name = asked.memory
    redis.call('SET', KEYS[1], name .. ' ' .. text(real), 'PX', DAY_MS)
  end
  if asked.before ~= '' and asked.before ~= name then block(KEYS[2], 'restart', now + asked.quiet) end
  for _, one in ipairs(asked.blocks) do block(KEYS[one.key], one.limit, one.till) end
  for _, one in ipairs(asked.days) do
    local key, day = KEYS[one.key], text(one.day)
    local counted = tonumber(redis.call('HGET', key, day)) or 0
    redis.call('HSET', key, day, text(math.max(counted, one.calls)))
    keep(key, math.max(DAY_MS, (one.day + MONTH_DAYS) * DAY_MS - now))
  end
  return { 'joined', text(real), name }
end

local function rejoin()
  for _, place in ipairs(places()) do enter(place, asked.call) end
  for _, limit in ipairs(asked.limits) do
    if limit.kind == 'RATE' then count_in(limit, asked.call) end
  end
  return { 'rejoined', text(real) }
end

---------------------------------------------------------------------------------------------------- look

local function see_rate(limit)
  local from, to = '(' .. text(now), text(now + limit.window + limit.late + SKEW_MS)
  local last = redis.call('ZREVRANGEBYSCORE', limit.key, to, from, 'WITHSCORES', 'LIMIT', 0, 1)
  return { used = redis.call('ZCOUNT', limit.key, from, to), resets = tonumber(last[2]) }
end

local function see_month(limit)
  local days, sum = days_of(limit)
  return { used = sum, resets = days_free(limit, days, math.max(1, sum + 1 - limit.most)) }
end

local function see_day(limit, place)
  local left = tonumber(place.fields['left:' .. limit.name])
  local seen = { left = left, told = tonumber(place.fields['told:' .. limit.name]) }
  if left and left <= limit.floor then seen.looks = asked_again(limit, place.fields, limit.floor) end
  if left and left <= 0 and not seen.looks then seen.looks = asked_again(limit, place.fields, 0) end
  return seen
end

local function see(limit, all)
  local place = all[limit.place]
  if limit.kind == 'RATE' then return see_rate(limit) end
  if limit.kind == 'MONTH' then return see_month(limit) end
  if limit.kind == 'DAY' then return see_day(limit, place) end
  return { used = redis.call('ZCOUNT', place.flight, '(' .. text(real), '+inf') }
end

-- For each limit used, left, resets, looks and told, '' where that is not known; then place, limit and end of each block.
local function look()
  if not memory() then return { 'unknown', text(real) } end
  local all, answer = places(), { 'looked', text(real), text(now) }
  local function add(figure) answer[#answer + 1] = figure and text(figure) or '' end
  for _, place in ipairs(all) do place.fields = state_of(place.state) end
  for _, limit in ipairs(asked.limits) do
    local seen = see(limit, all)
    add(seen.used) add(seen.left) add(seen.resets) add(seen.looks) add(seen.told)
  end
  for nth, place in ipairs(all) do
    for field, value in pairs(place.fields) do
      local limit, till = string.match(field, '^block:(.*)$'), standing(value)
      if limit and till then
        add(nth)
        answer[#answer + 1] = limit
        add(till)
      end
    end
  end
  return answer
end

return ({ take = take, settle = settle, join = join, rejoin = rejoin, look = look })[asked.verb]()

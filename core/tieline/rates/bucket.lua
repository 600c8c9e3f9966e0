-- One bucket: KEYS[1] holds the instant at which it is full again. ARGV: the span of what is asked, and of a whole
-- bucket. Answers how long to wait, or 0. All in microseconds; `tieline.rates.bucket.taken` says the same in Python.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local span, whole = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
local begins = math.min(math.max(full_at, now), now + whole)
local after = begins + span
local wait = after - now - whole
if wait > 0 then
  return wait
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return 0

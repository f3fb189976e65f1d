-- Keeps a value where none is, and answers what is kept then.
-- KEYS: the value, its fence. ARGV: the fence, the value, ms until it runs out (0: never).
local kept = redis.call('GET', KEYS[1])
if kept then
  return kept
end
local function set(key, value)
  if ARGV[3] == '0' then
    redis.call('SET', key, value)
  else
    redis.call('SET', key, value, 'PX', ARGV[3])
  end
end
set(KEYS[1], ARGV[2])
if tonumber(ARGV[1]) == 0 then
  redis.call('DEL', KEYS[2])
else
  set(KEYS[2], ARGV[1])
end
return ARGV[2]

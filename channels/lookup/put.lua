-- Keeps a value unless one with a higher fence is kept. A fence of 0 needs no key: it is what an absent one
-- means. Both keys run out together.
-- KEYS: the value, its fence. ARGV: the fence, the value, ms until it runs out (0: never).
local fence = tonumber(ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then
  local kept = redis.call('GET', KEYS[2])
  if fence < tonumber(kept or '0') then
    return 0
  end
end
if ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if fence == 0 then
  redis.call('DEL', KEYS[2])
elseif ARGV[3] == '0' then
  redis.call('SET', KEYS[2], ARGV[1])
else
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
end
return 1

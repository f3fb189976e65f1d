-- Count and rows of a list, or nothing where it is not known to be whole.
-- KEYS: the set, its marker, the marker of its slot. ARGV: first and last place.
if redis.call('EXISTS', KEYS[2], KEYS[3]) == 0 then
  return false
end
return { redis.call('ZCARD', KEYS[1]), redis.call('ZREVRANGE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES') }

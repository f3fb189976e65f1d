-- Marks a list as whole if what was written when its mending began is still there; it stays for repeats of
-- this call.
-- KEYS: the marker, the mending's key. ARGV: for how long, ms.
if redis.call('PEXPIRE', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('SET', KEYS[1], '1')
return 1

-- Puts rows of a set under way, which go by themselves if nobody puts it in its place.
-- KEYS: the set under way. ARGV: for how long it stays, ms; scores and members in turn.
redis.call('ZADD', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1

-- A heartbeat: published on the bus's own topic, and the epoch seen to on the way.
--
-- KEYS: epoch, topic
-- ARGV: run, publish command, number of the beat
-- Answers the epoch.
local epoch = epoch_of(KEYS[1], ARGV[1])
redis.call(ARGV[2], KEYS[2], ARGV[3])
return epoch

-- Makes a partition that does not exist; does nothing to one that does.
--
-- KEYS: meta, then what is left of a partition that was lost. ARGV: incarnation, nonce,
-- partitions of the store, sequence, board counter.
-- Answer: 1 if it was made.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'format', '1', 'partitions', ARGV[3], 'inc', ARGV[1], 'seq', ARGV[4],
  'nonce', ARGV[2], 'board', ARGV[5], 'origin', ARGV[2])
redis.call('UNLINK', unpack(KEYS, 2))
return 1

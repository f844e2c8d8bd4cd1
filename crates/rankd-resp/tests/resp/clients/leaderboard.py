"""A leaderboard with redis-py, as an application would write it. Arguments: port, RESP version."""

import sys

import redis

port, version = map(int, sys.argv[1:])
client = redis.Redis(port=port, protocol=version, decode_responses=True)
client.delete("py:board", "py:season", "py:profile:ada", "py:friends", "py:counter")

assert client.zadd("py:board", {"ada": 4200, "bob": 1500.5, "cyd": 9000, "dan": 1500.5}) == 4
assert client.zrevrank("py:board", "ada") == 1
assert client.zscore("py:board", "bob") == 1500.5
assert client.zscore("py:board", "nobody") is None
assert client.zincrby("py:board", 800, "ada") == 5000
top = client.zrevrange("py:board", 0, 1, withscores=True)
assert [tuple(entry) for entry in top] == [("cyd", 9000.0), ("ada", 5000.0)], top
assert client.zrangebyscore("py:board", "-inf", "(5000") == ["bob", "dan"]
assert client.zadd("py:board", {"ada": 1}, gt=True, ch=True) == 0
assert client.zmscore("py:board", ["ada", "nobody"]) == [5000.0, None]
assert client.zcount("py:board", 1000, 2000) == 2

client.hset("py:profile:ada", mapping={"name": "Ada", "country": "GB"})
assert client.hgetall("py:profile:ada") == {"name": "Ada", "country": "GB"}
client.sadd("py:friends", "ada", "bob", "zed")
assert client.zinter(["py:board", "py:friends"]) == ["bob", "ada"]
assert client.zunionstore("py:season", {"py:board": 2, "py:friends": 1}) == 5

with client.pipeline(transaction=True) as pipeline:
    pipeline.watch("py:board")
    rank = pipeline.zrevrank("py:board", "dan")
    pipeline.multi()
    pipeline.zincrby("py:board", 100, "dan")
    pipeline.incr("py:counter")
    assert pipeline.execute() == [1600.5, 1]
    assert rank == 2 or rank == 3

with client.pipeline(transaction=False) as pipeline:
    for member in range(500):
        pipeline.zadd("py:board", {f"m{member}": member})
    assert pipeline.execute() == [1] * 500
assert client.zcard("py:board") == 504
assert len(dict(client.zscan_iter("py:board"))) == 504

popped = client.zpopmin("py:board", 2)
assert [member for member, _ in popped] == ["m0", "m1"], popped
assert client.bzpopmax("py:board", timeout=1)[1] == "cyd"
assert client.expire("py:board", 100) and client.ttl("py:board") > 90

listener = client.pubsub()
listener.subscribe("py:news")
assert listener.get_message(timeout=5)["type"] == "subscribe"
assert client.publish("py:news", "hello") == 1
assert listener.get_message(timeout=5)["data"] == "hello"

try:
    client.get("py:board")
except redis.ResponseError as error:
    assert str(error).startswith("WRONGTYPE"), error
else:
    raise AssertionError("a board is no string")
assert client.info()["redis_mode"] == "standalone"

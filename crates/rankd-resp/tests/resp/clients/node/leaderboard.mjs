// A leaderboard with node-redis, as an application would write it. Arguments: port, RESP version.
import assert from 'node:assert/strict';
import { createClient } from 'redis';

const [port, version] = process.argv.slice(2).map(Number);
const client = createClient({ RESP: version, socket: { host: '127.0.0.1', port } });
await client.connect();

await client.del(['node:board', 'node:profile:ada', 'node:friends']);
const players = [['ada', 4200], ['bob', 1500.5], ['cyd', 9000], ['dan', 1500.5]];
const added = await client.zAdd('node:board', players.map(([value, score]) => ({ value, score })));
assert.equal(added, 4);
assert.equal(await client.zRevRank('node:board', 'ada'), 1);
assert.equal(await client.zScore('node:board', 'bob'), 1500.5);
assert.equal(await client.zScore('node:board', 'nobody'), null);
assert.equal(await client.zIncrBy('node:board', 800, 'ada'), 5000);
const top = await client.zRangeWithScores('node:board', 0, 1, { REV: true });
assert.deepEqual(top.map(({ value, score }) => [value, score]), [['cyd', 9000], ['ada', 5000]]);
assert.deepEqual(await client.zRange('node:board', '-inf', '(5000', { BY: 'SCORE' }), ['bob', 'dan']);

await client.hSet('node:profile:ada', { name: 'Ada', country: 'GB' });
assert.equal((await client.hGetAll('node:profile:ada')).name, 'Ada');
await client.sAdd('node:friends', ['ada', 'bob', 'zed']);
assert.deepEqual(await client.zInter(['node:board', 'node:friends']), ['bob', 'ada']);

const [score, rank] = await client.multi()
  .zIncrBy('node:board', 100, 'dan').zRevRank('node:board', 'dan').exec();
assert.equal(Number(score), 1600.5);
assert.equal(rank, 2);
const seen = [];
for await (const page of client.zScanIterator('node:board')) seen.push(page.value ?? page);
assert.equal(seen.flat().length, 4);
assert.ok(await client.expire('node:board', 100));
assert.ok(await client.ttl('node:board') > 90);
await assert.rejects(client.get('node:board'), /WRONGTYPE/);
await client.close();

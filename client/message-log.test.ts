import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes } from '../proto/codes.ts';
import { admit, connectedClient, message, reconnect, watchLog } from '../test/kit/connected-client.ts';

test('[SDK-7] messages come in order and once; a repeat is an error, a hole is asked for', async () => {
  const set = await connectedClient();
  const { clock, edge, client, errors } = set;
  const seen = watchLog(client.feed());
  admit(edge, 3, { position: 5 });
  edge.socket.say(message(3, 6), message(3, 7), message(3, 7), message(3, 5), message(3, 9), message(3, 10));
  assert.deepEqual(seen, ['6', '7']);
  assert.deepEqual(
    errors.map((error) => `${error.code} ${error.message}`),
    [
      'order feed:1003: message 7 came after 7',
      'order feed:1003: message 5 came after 7',
      'order feed:1003: message 9 came after 7',
    ],
  );
  await clock.advanceSettled(5_000);
  const asked = edge.socket.heard('subscribe').at(-1);
  assert.deepEqual([asked?.channel, asked?.since], ['feed:1003', 7]);
  admit(edge, 4, { position: 10 });
  edge.socket.say(message(4, 8), message(4, 9), message(4, 10));
  assert.deepEqual(seen, ['6', '7', '8', '9', '10']);
});

test('[SDK-7] a resumed log goes on where it was', async () => {
  const set = await connectedClient();
  const seen = watchLog(set.client.feed());
  admit(set.edge, 3, { position: 5 });
  set.edge.socket.say(message(3, 6));
  await reconnect(set);
  admit(set.edge, 8, { position: 8 });
  set.edge.socket.say(message(8, 7), message(8, 8), message(8, 9));
  assert.deepEqual(seen, ['6', '7', '8', '9']);
  assert.deepEqual(set.errors, []);
});

test('[SDK-8] a gap is told: at resuming, on the way, and when the epoch is another', async () => {
  const set = await connectedClient();
  const seen = watchLog(set.client.feed());
  admit(set.edge, 3, { position: 5 });
  set.edge.socket.say(message(3, 6));
  await reconnect(set);
  admit(set.edge, 1, { position: 90, recovered: false });
  set.edge.socket.say(message(1, 91));
  await reconnect(set);
  admit(set.edge, 1, { position: 2, recovered: false, epoch: 'e2' });
  set.edge.socket.say(message(1, 3));
  const gone = { code: codes.history_gone.no, message: 'too far behind' };
  set.edge.socket.say({ t: 'gap', no: 1, epoch: 'e2', position: 50, ...gone }, message(1, 51));
  assert.deepEqual(seen, [
    '6',
    'gap history_gone 6-90',
    '91',
    'gap epoch_changed 91-2',
    '3',
    'gap history_gone 3-50',
    '51',
  ]);
  assert.deepEqual(set.errors, []);
  await reconnect(set);
  assert.deepEqual(set.edge.socket.heard('subscribe')[0], {
    t: 'subscribe',
    id: set.edge.socket.heard('subscribe')[0]?.id,
    channel: 'feed:1003',
    epoch: 'e2',
    since: 51,
  });
});

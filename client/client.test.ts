import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import { createRandom } from '../demo/random.ts';
import { createFakeEdge } from '../test/kit/fake-edge.ts';
import { RandomEdge } from '../test/kit/random-edge.ts';
import { connect } from './client.ts';
import type { ContestRoom } from './contest-room.ts';

test('[SDK-7] [SDK-8] [SDK-9] whatever happens, gaps are told and ranks are exact', async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
  t.diagnostic(`SEED=${seed}`);
  const random = createRandom(seed);
  const clock = createManualClock();
  const fake = createFakeEdge(clock);
  const edge = new RandomEdge(random);
  const client = connect({ url: 'ws://localhost:1', token: 'x', WebSocket: fake.WebSocket, clock, random });
  const errors: string[] = [];
  client.on('error', (error) => errors.push(String(error)));
  const room = client.contest('c1');
  const seen = { exact: 0, held: 0, messages: 0, gaps: 0, sockets: 0 };
  room.on('board', ({ version }) => {
    if (room.held) {
      seen.held += 1;
      return;
    }
    seen.exact += 1;
    assertExact(room, edge, version);
  });
  const feed = client.feed();
  let expected = 'l1-1';
  feed.on('message', ({ data }) => {
    seen.messages += 1;
    assert.equal(data as unknown, expected);
    expected = `l${edge.logEpoch}-${feed.position + 1}`;
  });
  feed.on('gap', ({ to }) => {
    seen.gaps += 1;
    expected = `l${edge.logEpoch}-${to + 1}`;
  });

  for (let step = 0; step < 4_000; step++) {
    if (client.status.state !== 'connected') {
      await clock.advanceSettled(client.status.retryInMs ?? 0);
      fake.welcome();
      seen.sockets += 1;
    }
    edge.answer(fake.socket);
    const dice = random();
    if (dice < 0.35) edge.advance(fake.socket);
    else if (dice < 0.6) edge.tellEntries(fake.socket);
    else if (dice < 0.9) edge.publish(fake.socket);
    else if (dice < 0.91) edge.forget(fake.socket);
    else if (dice < 0.97) fake.socket.end(1006);
    if (client.status.state !== 'connected') away(edge, random);
  }
  assert.deepEqual(errors, []);
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 20, `${what}: ${count}`);
});

/** What happens while the client is not there. */
function away(edge: RandomEdge, random: () => number): void {
  const nobody = createFakeEdge(createManualClock());
  const socket = new nobody.WebSocket('ws://nobody', 'rankcast.json');
  const many = Math.floor(random() ** 3 * 40);
  for (let n = 0; n < many; n++) edge.publish(socket);
  for (let n = 0; n < many; n++) edge.advance(socket);
}

function assertExact(room: ContestRoom, edge: RandomEdge, version: number): void {
  const truth = edge.truthAt('e1', version);
  assert.deepEqual(
    room.entries.map(({ entry, score, rank }) => [entry, score, rank]),
    truth?.own,
    `own ranks at version ${version}`,
  );
  assert.equal(room.ranksVersion, version);
}

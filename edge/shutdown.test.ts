import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createManualClock } from '../channels/clock.manual.ts';
import { createShutdown, requestGraceMs } from './shutdown.ts';

function setUp(deregistrationDelayMs: number, idle: Promise<void> = Promise.resolve()) {
  const clock = createManualClock();
  const steps: string[] = [];
  const begun = clock.now();
  const note = (step: string): void => {
    steps.push(`${step} ${clock.now() - begun}`);
  };
  const shutdown = createShutdown({
    options: { deregistrationDelayMs, drainWindowMs: 30_000 },
    clock,
    logger: pino({ level: 'silent' }),
    unready: () => note('unready'),
    refuseSockets: () => note('refuse'),
    moveSockets: (windowMs) => {
      note('move');
      return new Promise((resolve) => clock.after(windowMs, resolve));
    },
    idle: () => idle,
    close: async () => note('close'),
  });
  return { clock, steps, shutdown };
}

test('SIGTERM: unready at once, serving on for the delay, sockets moved, then closed', async () => {
  const { clock, steps, shutdown } = setUp(120_000);
  const done = shutdown.drain();
  assert.deepEqual(steps, ['unready 0']);
  await clock.advanceSettled(119_999);
  assert.deepEqual(steps, ['unready 0']);
  await clock.advanceSettled(30_001);
  await done;
  assert.deepEqual(steps, ['unready 0', 'refuse 120000', 'move 120000', 'close 150000']);
});

test('a second signal changes nothing', async () => {
  const { clock, steps, shutdown } = setUp(0);
  const first = shutdown.drain();
  assert.equal(shutdown.drain(), first);
  await clock.advanceSettled(30_000);
  await first;
  assert.deepEqual(steps, ['unready 0', 'refuse 0', 'move 0', 'close 30000']);
});

test('requests under way get a while, not for ever', async () => {
  const { clock, steps, shutdown } = setUp(0, new Promise(() => {}));
  const done = shutdown.drain();
  await clock.advanceSettled(30_000 + requestGraceMs - 1);
  assert.equal(steps.length, 3);
  await clock.advanceSettled(1);
  await done;
  assert.equal(steps.at(-1), `close ${30_000 + requestGraceMs}`);
});

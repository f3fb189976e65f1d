import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../channels/clock.manual.ts';
import { createQuestionQueue } from './question-queue.ts';

function create(options: { busy?: boolean; questionsMax?: number } = {}) {
  const clock = createManualClock(0);
  let worked = 0;
  const done: string[] = [];
  const queue = createQuestionQueue({
    clock,
    elapsed: () => worked,
    busy: () => options.busy ?? true,
    windowMs: 100,
    budgetMs: 20,
    questionsMax: options.questionsMax ?? 1_000,
  });
  const ask = (name: string, ms: number, keepMs = 10_000): void => {
    void queue
      .run(() => {
        worked += ms;
        return 'answered';
      }, keepMs)
      .then((answer) => done.push(`${clock.now()} ${name} ${answer ?? 'dropped'}`));
  };
  return { clock, queue, ask, done };
}

test('while records are applied, answers take a fifth of each tick and the rest waits its turn', async () => {
  const { clock, ask, done } = create();
  for (let i = 0; i < 7; i += 1) ask(`q${i}`, 9);
  await clock.advanceSettled(0);
  assert.deepEqual(done, ['0 q0 answered', '0 q1 answered', '0 q2 answered']);
  await clock.advanceSettled(99);
  assert.equal(done.length, 3);
  await clock.advanceSettled(200);
  assert.deepEqual(done.slice(3), [
    '100 q3 answered',
    '100 q4 answered',
    '100 q5 answered',
    '200 q6 answered',
  ]);
});

test('one answer longer than the budget is not cut, and the next waits', async () => {
  const { clock, ask, done } = create();
  ask('long', 500);
  ask('next', 1);
  await clock.advanceSettled(100);
  assert.deepEqual(done, ['0 long answered', '100 next answered']);
});

test('in quiet there is no budget', async () => {
  const { clock, ask, done } = create({ busy: false });
  for (let i = 0; i < 4; i += 1) ask(`q${i}`, 50);
  await clock.advanceSettled(0);
  assert.equal(done.length, 4);
});

test('a question whose turn comes too late is dropped, one too many is dropped at once', async () => {
  const { clock, ask, done, queue } = create({ questionsMax: 3 });
  ask('q0', 20);
  ask('late', 1, 50);
  ask('kept', 1, 500);
  ask('over', 1);
  await clock.advanceSettled(100);
  assert.deepEqual(done, ['0 over dropped', '0 q0 answered', '100 late dropped', '100 kept answered']);
  assert.equal(queue.dropped, 2);
  assert.equal(queue.size, 0);
});

test('what an answer throws goes to who asked, and the others go on; closing drops all', async () => {
  const { clock, queue, ask, done } = create();
  const failed = assert.rejects(
    queue.run(() => {
      throw new Error('no');
    }, 100),
    /no/,
  );
  ask('q1', 30);
  await clock.advanceSettled(0);
  await failed;
  ask('q2', 1);
  queue.close();
  await clock.advanceSettled(200);
  assert.deepEqual(done, ['0 q1 answered', '0 q2 dropped']);
});

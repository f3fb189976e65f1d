import assert from 'node:assert/strict';
import { ServiceError } from '../../proto/codes.ts';
import { type Law, soonMs } from './bus.conformance.ts';
import type { StoredMessage } from './bus.ts';
import { Heard, message } from './heard.conformance.ts';

/** The laws of bus.ts for messages and questions that are not kept. */
export function publishConformance(law: Law): void {
  publishLaws(law);
  questionLaws(law);
}

function publishLaws(law: Law): void {
  law('[BUS-1] every listener gets every message of its topic, in order', async ({ bus, other }) => {
    const one = new Heard<Uint8Array>();
    const two = new Heard<Uint8Array>();
    const apart = new Heard<Uint8Array>();
    await other.subscribe('t', one.listen);
    await bus.subscribe('t', two.listen);
    await other.subscribe('u', apart.listen);
    const sent = Array.from({ length: 300 }, (_, i) => Uint8Array.of(i & 255, i >> 8, 0, 255));
    for (const bytes of sent) await bus.publish('t', bytes);
    await bus.publish('u', Uint8Array.of(7));
    await bus.publish('nobody', Uint8Array.of(8));
    for (const heard of [one, two]) {
      await heard.until(300);
      assert.deepEqual(
        heard.all.map((bytes) => [...bytes]),
        sent.map((bytes) => [...bytes]),
      );
    }
    await apart.until(1);
    assert.deepEqual([...apart.all[0]!], [7]);
  });

  law('[BUS-2] who has left hears nothing; who stays hears on', async ({ bus, other }) => {
    const leaving = new Heard<Uint8Array>();
    const staying = new Heard<Uint8Array>();
    const leave = await other.subscribe('t', leaving.listen);
    await other.subscribe('t', staying.listen);
    await bus.publish('t', Uint8Array.of(1));
    await leaving.until(1);
    await bus.publish('t', Uint8Array.of(2));
    leave();
    leave();
    const count = leaving.all.length;
    await bus.publish('t', Uint8Array.of(3));
    await staying.until(3);
    assert.equal(leaving.all.length, count);
  });

  law('[BUS-3] a listener that throws harms nobody', async ({ bus, other, errors }) => {
    const heard = new Heard<Uint8Array>();
    const followed = new Heard<StoredMessage>();
    await other.subscribe('t', () => {
      throw new Error('listener');
    });
    await other.subscribe('t', heard.listen);
    await other.follow('c', () => {
      throw new Error('follower');
    });
    await other.follow('c', followed.listen);
    await bus.publish('t', Uint8Array.of(1));
    await bus.publish('t', Uint8Array.of(2));
    await heard.until(2);
    await bus.append('c', message('1'));
    await followed.until(1);
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      ['listener', 'listener', 'follower'],
    );
  });

  law('[BUS-4] no listener runs inside the call', async ({ bus }) => {
    const heard = new Heard<unknown>();
    await bus.subscribe('t', heard.listen);
    await bus.follow('c', heard.listen);
    await bus.answer('s', async (question) => {
      heard.listen(question);
      return question;
    });
    const calls = [
      bus.publish('t', Uint8Array.of(1)),
      bus.append('c', message('1')),
      bus.ask('s', Uint8Array.of(2), soonMs),
    ];
    assert.equal(heard.all.length, 0);
    await Promise.all(calls);
    await heard.until(3);
  });
}

function questionLaws(law: Law): void {
  law('[BUS-5] the first answer that is not null is the answer', async ({ bus, other }) => {
    const asked: string[] = [];
    let openLate = (_: Uint8Array | null): void => undefined;
    await other.answer('s', async () => {
      asked.push('null');
      return null;
    });
    await other.answer('s', () => {
      asked.push('late');
      return new Promise((resolve) => {
        openLate = resolve;
      });
    });
    await bus.answer('s', async (question) => {
      asked.push('first');
      return Uint8Array.of(question[0]! + 1);
    });
    await other.answer('elsewhere', async () => Uint8Array.of(99));
    assert.deepEqual([...(await bus.ask('s', Uint8Array.of(41), soonMs))], [42]);
    openLate(Uint8Array.of(0));
    const many = await Promise.all([...'abcdef'].map((_, i) => bus.ask('s', Uint8Array.of(i), soonMs)));
    assert.deepEqual(
      many.map((answer) => answer[0]),
      [1, 2, 3, 4, 5, 6],
    );
    assert.ok(asked.includes('null') && asked.includes('late'));
  });

  law('[BUS-6] without an answer a question fails at its deadline', async ({ bus, other, errors }) => {
    const late = (error: unknown): boolean => error instanceof ServiceError && error.retryable;
    await assert.rejects(bus.ask('nobody', Uint8Array.of(1), 5), late);
    await other.answer('s', async () => null);
    await other.answer('s', async () => {
      throw new Error('handler');
    });
    const leave = await other.answer('s', () => new Promise(() => undefined));
    // On a busy network it may take longer than that until the question is there at all.
    do await assert.rejects(bus.ask('s', Uint8Array.of(1), 50), late);
    while (errors.length === 0);
    assert.ok(errors.every((error) => (error as Error).message === 'handler'));
    leave();
    await other.answer('s', async () => Uint8Array.of(2));
    assert.deepEqual([...(await bus.ask('s', Uint8Array.of(1), soonMs))], [2]);
  });
}

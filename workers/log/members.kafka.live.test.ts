import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom } from '../../channels/random.ts';
import { type KafkaServer, startKafka } from '../../test/services/kafka.ts';
import { copyingCounts, keepAppending, startCopying, verifyCopies } from './copying.conformance.ts';
import { kafkaBed } from './kafka.testbed.ts';
import { seedOf, Wake } from './member.conformance.ts';

/**
 * Members of a group as processes that are killed, stopped and let go on. This file is both: the tests, and
 * with arguments a member. @live timeout=300s
 */
const sessionTimeoutMs = 1_500;
const options = { sessionTimeoutMs, retryMinMs: 10, retryMaxMs: 200 };

if (process.argv[2] === 'member') await live(process.argv[3]!, process.argv[4]!, Number(process.argv[5]));
else registerTests();

function registerTests(): void {
  test('[LOG-7] [LOG-10] a member stopped for longer than its session has its commits refused', (t) =>
    withKafka(async (brokers) => {
      const bed = kafkaBed({ brokers, counts: copyingCounts, options });
      const log = await bed.open();
      const appending = keepAppending(log, 2);
      const one = startMember(brokers, bed.prefix, 30);
      await one.until(() => one.batches > 20);
      const two = startMember(brokers, bed.prefix, 0);
      await two.until(() => two.batches > 20);
      for (let round = 0; round < 3; round++) {
        one.child.kill('SIGSTOP');
        const before = two.partitions.size;
        two.partitions.clear();
        await two.until(() => two.partitions.size === copyingCounts.events);
        assert.ok(before <= copyingCounts.events);
        one.child.kill('SIGCONT');
        const batches = one.batches;
        await one.until(() => one.batches > batches + 10);
      }
      await appending.stop();
      const { events } = await verifyCopies(log, appending.acknowledged);
      t.diagnostic(`${events} records copied once; stopped members said: ${[...one.errors].join(' | ')}`);
      assert.ok(one.errors.size > 0, 'no commit was refused');
      await Promise.all([one.end('SIGTERM'), two.end('SIGTERM')]);
      await log.close();
    }));

  test('[LOG-7] a member that the group does not answer begins no batch, and goes on when it does', () =>
    withKafka(async (brokers, kafka) => {
      const bed = kafkaBed({ brokers, counts: { events: 1 }, options });
      const log = await bed.open();
      const value = Buffer.from('x');
      await log.append(
        'events',
        Array.from({ length: 900 }, () => ({ key: 'k', value })),
      );
      const began: number[] = [];
      const wake = new Wake();
      const told: unknown[] = [];
      const consumer = await log.consume({
        group: 'group',
        topic: 'events',
        batchMax: 1,
        onAssign: async () => 'committed',
        async onBatch() {
          began.push(performance.now());
          wake.all();
          await delay(10);
        },
        onRevoke: async () => undefined,
        onError: (error) => told.push(error),
      });
      await wake.until(() => began.length > 20);
      await kafka.kill();
      const goneAt = performance.now();
      await delay(2 * sessionTimeoutMs);
      const late = began.filter((at) => at > goneAt + sessionTimeoutMs / 4 + 50);
      assert.equal(late.length, 0, `${late.length} batches began`);
      assert.ok(began.length < 600, 'there was nothing left to begin');
      assert.ok(told.length > 0, 'nobody was told');
      const before = began.length;
      await kafka.start();
      await wake.until(() => began.length > before + 20);
      await consumer.close();
      await log.close();
    }));

  test('[LOG-7] [LOG-8] [LOG-10] [LOG-13] members that come, die and stall copy everything once', (t) =>
    withKafka(async (brokers) => {
      const random = seededRandom(seedOf(t));
      const bed = kafkaBed({ brokers, counts: copyingCounts, options });
      const log = await bed.open();
      const appending = keepAppending(log, 3);
      let members: MemberProcess[] = [];
      const ends: Record<string, number> = {};
      for (const began = Date.now(); Date.now() - began < 25_000; ) {
        const what = await disturb(random, members, () =>
          startMember(brokers, bed.prefix, Math.floor(random() * 40)),
        );
        ends[what] = (ends[what] ?? 0) + 1;
        members = members.filter(({ child }) => child.exitCode === null && child.signalCode === null);
        await delay(200 + random() * 1_000);
      }
      for (const { child } of members) child.kill('SIGCONT');
      await appending.stop();
      await startCopying(log);
      const { events } = await verifyCopies(log, appending.acknowledged);
      t.diagnostic(`${events} records copied once: ${JSON.stringify(ends)}`);
      await Promise.all(members.map((member) => member.end('SIGTERM')));
      await log.close();
    }));
}

async function disturb(
  random: Random,
  members: MemberProcess[],
  start: () => MemberProcess,
): Promise<'join' | 'kill' | 'leave' | 'stall'> {
  const dice = random();
  if (members.length < 2 || (dice < 0.4 && members.length < 5)) {
    members.push(start());
    return 'join';
  }
  const chosen = members[Math.floor(random() * members.length)]!;
  if (dice < 0.6) {
    await chosen.end('SIGKILL');
    return 'kill';
  }
  if (dice < 0.8) {
    await chosen.end('SIGTERM');
    return 'leave';
  }
  chosen.child.kill('SIGSTOP');
  await delay(random() * 2 * sessionTimeoutMs);
  chosen.child.kill('SIGCONT');
  return 'stall';
}

async function withKafka(body: (brokers: string[], kafka: KafkaServer) => Promise<void>): Promise<void> {
  const kafka = await startKafka({ config: { 'group.min.session.timeout.ms': 1_000 } });
  const children = new Set(processes);
  try {
    await body(kafka.brokers, kafka);
  } finally {
    for (const child of processes) if (!children.has(child)) child.kill('SIGKILL');
    await kafka.kill();
  }
}

const processes = new Set<ChildProcess>();

interface MemberProcess {
  readonly child: ChildProcess;
  readonly batches: number;
  readonly partitions: Set<number>;
  readonly errors: Set<string>;
  until(condition: () => boolean): Promise<void>;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

function startMember(brokers: readonly string[], prefix: string, workMs: number): MemberProcess {
  const script = fileURLToPath(import.meta.url);
  const words = [script, 'member', brokers.join(','), prefix, String(workMs)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  processes.add(child);
  const exit = once(child, 'exit');
  const wake = new Wake();
  const partitions = new Set<number>();
  const errors = new Set<string>();
  let batches = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('batch ')) {
      batches++;
      partitions.add(Number(line.slice(6)));
    } else errors.add(line);
    wake.all();
  });
  return {
    child,
    partitions,
    errors,
    get batches() {
      return batches;
    },
    until: (condition) => wake.until(condition),
    async end(signal) {
      child.kill(signal);
      child.kill('SIGCONT');
      await exit;
      processes.delete(child);
    },
  };
}

async function live(brokers: string, prefix: string, workMs: number): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const bed = kafkaBed({ brokers: brokers.split(','), prefix, counts: copyingCounts, options });
  const log = await bed.open();
  const { errors } = await startCopying(log, { workMs, onBatch: (partition) => say(`batch ${partition}`) });
  errors.push = (error) => {
    say(error instanceof Error ? error.message : String(error));
    return 0;
  };
  process.once('SIGTERM', () => {
    log.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from '../proto/codec.json.ts';
import { msgpackCodec } from '../proto/codec.msgpack.ts';
import { createTestbed, type Testbed } from './live.testbed.ts';
import { Truth, Witness } from './witness.testbed.ts';

const seed = Number(process.env['SEED'] ?? 20_190_717);

/** mulberry32. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An entry keeps its user; the first six are there from the beginning. */
const owner = (n: number): string => `u${n < 6 ? n % 3 : n % 5}`;

class World {
  readonly bed: Testbed;
  readonly truth: Truth;
  readonly witnesses: Witness[] = [];
  readonly next: () => number;
  readonly why: string;
  #id = 0;

  constructor(bed: Testbed, next: () => number, why: string) {
    this.bed = bed;
    this.next = next;
    this.why = why;
    this.truth = new Truth(bed.model);
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  record(): void {
    const { model } = this.bed;
    const what = this.next();
    if (what < 0.55) model.setPoints(this.below(model.players.length), this.below(50) - 15);
    else if (what < 0.7) {
      const n = this.below(18);
      const free = model.players.map((_, i) => i);
      const team = Array.from({ length: 11 }, () => free.splice(this.below(free.length), 1)[0]!);
      model.setEntry(
        `t${n}`,
        owner(n),
        ['small', 'large'].filter(() => this.next() < 0.7),
        team,
      );
    } else if (what < 0.76) {
      const n = this.below(18);
      model.setEntry(`q${n}`, owner(n), this.next() < 0.8 ? ['quiz'] : [], []);
    } else if (what < 0.97) {
      const entries = [...model.contests.get('quiz')!.ordinals.keys()];
      model.setScore('quiz', this.pick(entries), this.below(40) * 50_000);
    } else if (model.players.length < 30) model.addPlayers([`p${model.players.length}`]);
    this.truth.note();
  }

  open(user: string): Witness {
    const witness = new Witness(user, this.#socket(user), this.truth, this.why);
    this.witnesses.push(witness);
    this.#subscribeSome(witness);
    return witness;
  }

  #socket(user: string) {
    const socket = this.bed.open(this.next() < 0.5 ? msgpackCodec : jsonCodec);
    socket.bufferBytesMax = 1_500 + this.below(4_000);
    socket.say({ t: 'connect', token: user });
    return socket;
  }

  #subscribeSome(witness: Witness): void {
    for (const name of [
      'contest:small',
      'contest:large',
      'contest:quiz',
      'match:m1',
      `feed:${witness.user}`,
    ]) {
      // Few have a log channel, for those are ended where others are conflated.
      if (this.next() < (name.startsWith('feed') ? 0.7 : 0.3)) continue;
      this.subscribe(witness, name);
    }
  }

  subscribe(witness: Witness, channel: string): void {
    witness.socket.say({ t: 'subscribe', id: ++this.#id, channel, ...witness.places.get(channel) });
  }

  /** As a client does: what it has seen goes with it. */
  reconnect(witness: Witness): void {
    witness.look();
    witness.socket.hangUp();
    const names = [...witness.channels.values()].map((seen) => seen.name);
    witness.moveTo(this.#socket(witness.user));
    for (const name of names.length > 0 ? names : ['contest:large']) this.subscribe(witness, name);
  }

  async message(): Promise<void> {
    const user = `u${this.below(5)}`;
    const { position } = (await this.bed.bus.heads([`feed:${user}`]))[0]!;
    await this.bed.append(`feed:${user}`, position + 1);
  }

  async step(): Promise<void> {
    const { bed } = this;
    const what = this.next();
    bed.bus.losing = this.next() < 0.08;
    if (what < 0.35) {
      for (let i = this.below(3); i >= 0; i--) this.record();
      if (this.next() < 0.9) await bed.ranker.tick();
    } else if (what < 0.45) await this.message();
    else if (what < 0.55) this.#client();
    else if (what < 0.62) this.pick(this.witnesses).socket.reading = false;
    else if (what < 0.72) this.pick(this.witnesses).socket.drain();
    else if (what < 0.74) bed.ranker.silent = !bed.ranker.silent;
    else if (what < 0.75) bed.bus.reset('so it is');
    else if (what < 0.78) bed.ranker.tooMany = !bed.ranker.tooMany;
    else if (what < 0.85) await bed.ranker.heads();
    else await bed.clock.advanceSettled(this.below(120));
    this.look();
  }

  #client(): void {
    const witness = this.pick(this.witnesses);
    const what = this.next();
    if (what < 0.3) this.open(`u${this.below(6)}`);
    else if (what < 0.6) this.reconnect(witness);
    else if (what < 0.8) {
      const seen = [...witness.channels.values()];
      if (seen.length > 0)
        witness.socket.say({ t: 'unsubscribe', id: ++this.#id, channel: this.pick(seen).name });
    } else this.subscribe(witness, this.pick(['contest:small', 'contest:large', 'contest:quiz', 'match:m1']));
  }

  look(): void {
    for (const witness of this.witnesses) {
      witness.look();
      if (witness.socket.closing() !== null) this.reconnect(witness);
    }
  }

  /** All is well again, and everybody has everything. */
  async settle(): Promise<void> {
    const { bed } = this;
    Object.assign(bed.bus, { losing: false });
    Object.assign(bed.ranker, { silent: false, tooMany: false });
    for (const witness of this.witnesses) witness.socket.drain();
    await bed.clock.advanceSettled(15_000);
    this.look();
    this.record();
    bed.model.setPoints(0, 49);
    bed.model.setScore('quiz', 'q0', 77);
    this.truth.note();
    await bed.ranker.tick();
    await bed.ranker.heads();
    await bed.clock.advanceSettled(15_000);
    this.look();
    for (const witness of this.witnesses) await this.#complete(witness);
  }

  async #complete(witness: Witness): Promise<void> {
    const { bed } = this;
    for (const seen of witness.channels.values()) {
      if (seen.kind === 'log') {
        const [head] = await bed.bus.heads([seen.name]);
        assert.equal(seen.position, head!.position, `${seen.name}, ${this.why}`);
        continue;
      }
      assert.equal(seen.position, bed.model.version, `${seen.name} of ${witness.user}, ${this.why}`);
      if (seen.name.startsWith('match')) continue;
      assert.ok(seen.entries !== null && !seen.held, `${seen.name} of ${witness.user}, ${this.why}`);
      const own = bed.model.board(seen.id).filter((row) => row[3] === witness.user);
      assert.equal(seen.entries.length, own.length, this.why);
    }
  }
}

test('[PR-24] [PR-25] [PR-26] [PR-28] [PR-32] [PR-33] [VIEW-9] clients see the truth', async () => {
  await runRandomClients();
});

test('[PR-34] [PR-35] [PR-36] [PR-37] [PR-39] [PR-40] and their own ranks exactly, slow or not', async () => {
  await runRandomClients(100);
});

async function runRandomClients(offset = 0): Promise<void> {
  let compared = 0;
  for (let round = 0; round < 6; round++) {
    const next = random(seed + offset + round);
    const bed = await createTestbed();
    const world = new World(bed, next, `seed ${seed}, round ${offset + round}`);
    for (let i = 0; i < 6; i++) world.open(`u${i}`);
    for (let i = 0; i < 250; i++) await world.step();
    await world.settle();
    compared += world.witnesses.reduce((sum, witness) => sum + witness.compared, 0);
    assert.equal(bed.live.counts().sockets, world.witnesses.length);
    bed.live.close();
  }
  assert.ok(compared > 10_000, `${compared} comparisons`);
}

/**
 * The edges that share a bus, processes and nodes alike: which there are, and a question to all of them. The
 * bus answers a question with the first answer it gets; here every edge answers, so that sums are whole.
 *
 * Each edge says every `hereEveryMs` that it is there, and asks who else is when it starts. A question is
 * answered when all known edges have answered, or after `askMs`; who is silent is said.
 */
import type { Logger } from 'pino';
import type { Bus } from '../channels/bus/bus.ts';
import type { Clock } from '../channels/clock.ts';

export interface PeersOptions {
  hereEveryMs: number;
  goneAfterMs: number;
  askMs: number;
  questionsMax: number;
}
export const peersDefaults: PeersOptions = {
  // A thousand edges: 200 messages a second on each, of 60 bytes.
  hereEveryMs: 5_000,
  // Two lost in a row.
  goneAfterMs: 15_000,
  // A round trip over the bus takes some milliseconds; an operator at a screen does not notice this.
  askMs: 300,
  // Questions come from back ends, one at a time; more are a loop.
  questionsMax: 100,
};

/** What an edge answers: any plain object. */
type Answer = object;
type Message =
  | { k: 'hello' | 'here' | 'gone'; edge: string }
  | { k: 'ask'; edge: string; id: number; about: string }
  | { k: 'answer'; edge: string; id: number; answer: Answer };

export interface PeersParts<T extends Answer> {
  bus: Bus;
  clock: Clock;
  logger: Logger;
  /** Unique among the edges that share the bus. */
  edge: string;
  /** This edge's own answer to the question about something. */
  answer(about: string): T;
  options?: Partial<PeersOptions>;
}
export interface Peers<T extends Answer> {
  /** Answers of all edges, this one's first; and how many known ones did not answer in time. */
  ask(about: string): Promise<{ answers: T[]; silent: number }>;
  /** Others that are known now. */
  count(): number;
  close(): void;
}

const topic = 'x:edges';
const ownTopic = (edge: string): string => `x:edge:${edge}`;

interface Question {
  waiting: Set<string>;
  answers: Answer[];
  settle(): void;
}

export async function createPeers<T extends Answer>(parts: PeersParts<T>): Promise<Peers<T>> {
  const { bus, clock, logger, edge } = parts;
  const options = { ...peersDefaults, ...parts.options };
  /** When each was last heard. */
  const peers = new Map<string, number>();
  const questions = new Map<number, Question>();
  let lastId = 0;
  let closed = false;

  /** What is lost is said again, or counted as silent. */
  function say(to: string, message: Message): void {
    bus.publish(to, Buffer.from(JSON.stringify(message))).catch((error: unknown) => {
      logger.debug({ err: error }, 'a word to other edges was lost');
    });
  }

  function hear(bytes: Uint8Array): void {
    const message = JSON.parse(Buffer.from(bytes).toString()) as Message;
    if (closed || message.edge === edge) return;
    if (message.k === 'gone') {
      peers.delete(message.edge);
      for (const question of questions.values()) leave(question, message.edge);
      return;
    }
    peers.set(message.edge, clock.now());
    if (message.k === 'hello') say(ownTopic(message.edge), { k: 'here', edge });
    else if (message.k === 'ask') {
      const { id, about } = message;
      say(ownTopic(message.edge), { k: 'answer', edge, id, answer: parts.answer(about) });
    } else if (message.k === 'answer') {
      const question = questions.get(message.id);
      if (question === undefined) return;
      question.answers.push(message.answer);
      leave(question, message.edge);
    }
  }

  function leave(question: Question, peer: string): void {
    question.waiting.delete(peer);
    if (question.waiting.size === 0) question.settle();
  }

  function forget(): void {
    const before = clock.now() - options.goneAfterMs;
    for (const [peer, at] of peers) if (at < before) peers.delete(peer);
  }

  async function ask(about: string): Promise<{ answers: T[]; silent: number }> {
    forget();
    const answers: T[] = [parts.answer(about)];
    const waiting = new Set(peers.keys());
    if (waiting.size === 0 || closed) return { answers, silent: 0 };
    if (questions.size >= options.questionsMax) return { answers, silent: waiting.size };
    lastId += 1;
    const id = lastId;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(options.askMs, resolve);
      const settle = (): void => {
        cancel();
        resolve();
      };
      questions.set(id, { waiting, answers, settle });
      say(topic, { k: 'ask', edge, id, about });
    });
    questions.delete(id);
    return { answers, silent: waiting.size };
  }

  function plan(): () => void {
    return clock.after(options.hereEveryMs, () => {
      forget();
      say(topic, { k: 'here', edge });
      cancelHere = plan();
    });
  }

  const stops = [await bus.subscribe(ownTopic(edge), hear), await bus.subscribe(topic, hear)];
  say(topic, { k: 'hello', edge });
  let cancelHere = plan();

  return {
    ask,
    count() {
      forget();
      return peers.size;
    },
    close() {
      if (closed) return;
      closed = true;
      cancelHere();
      for (const question of questions.values()) question.settle();
      say(topic, { k: 'gone', edge });
      for (const stop of stops) stop();
    },
  };
}

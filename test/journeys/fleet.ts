import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayApi, type IngestAnswer, type Keys, newKeys } from './gateway-api.ts';
import { RankcastProcess } from './rankcast-process.ts';

/** While members are killed, a request is tried at one edge after the other for so long. */
const patienceMs = 30_000;
const pauseMs = 50;

export interface FleetPlan {
  edges: number;
  /** Replicas of the ranker. */
  rankers: number;
  graphs: number;
  followers: number;
  /** Of all processes, e.g. `--tick-ms 5`. */
  flags: readonly string[];
  /** Where the real servers are, as `RANKCAST_...`. */
  servers: NodeJS.ProcessEnv;
}

/** One process of the fleet, which may die and come back with the same ports and folder. */
export class Member {
  readonly name: string;
  readonly process: RankcastProcess;
  port = 0;
  opsPort = 0;
  readonly #args: readonly string[];

  constructor(name: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
    this.name = name;
    this.#args = args;
    this.process = new RankcastProcess(environment);
  }
  async start(): Promise<void> {
    const ports = ['--port', String(this.port), '--ops-port', String(this.opsPort)];
    const told = await this.process.start([...this.#args, ...ports]);
    this.port = told.port ?? 0;
    this.opsPort = told.opsPort;
  }
  /** Waits until it says that it is ready; answers how long that took, ms. */
  async ready(): Promise<number> {
    const startedAt = performance.now();
    for (const until = Date.now() + patienceMs; ; ) {
      const answer = await fetch(`http://127.0.0.1:${this.opsPort}/readyz`).catch(() => null);
      if (answer?.status === 200) return performance.now() - startedAt;
      if (Date.now() > until) throw new Error(`${this.name} is not ready: ${await answer?.text()}`);
      await delay(pauseMs);
    }
  }
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }
}

/** An edge of the fleet as its users see it. */
export class FleetEdge extends GatewayApi {
  readonly member: Member;
  constructor(keys: Keys, member: Member) {
    super(keys);
    this.member = member;
  }
  get port(): number {
    return this.member.port;
  }
}

/** All roles as processes of their own over real servers. As an API it is whichever edge answers. */
export class Fleet extends GatewayApi {
  readonly edges: FleetEdge[] = [];
  readonly members: Member[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'rankcast-fleet-'));
  #turn = 0;

  constructor(plan: FleetPlan) {
    super(newKeys());
    const secrets = {
      RANKCAST_API_KEY: this.keys.apiKey,
      RANKCAST_TOKEN_SECRET: this.keys.tokenSecret,
    };
    const add = (name: string, args: readonly string[]): Member => {
      const data = ['--data', join(this.#folder, name)];
      const member = new Member(name, [...args, ...data, ...plan.flags], { ...plan.servers, ...secrets });
      this.members.push(member);
      return member;
    };
    for (let n = 0; n < plan.rankers; n += 1) {
      add(`ranker-${n}`, ['worker', 'ranker', 'archive', '--replica', String(n)]);
    }
    for (let n = 0; n < plan.graphs; n += 1) add(`graph-${n}`, ['worker', 'graph']);
    for (let n = 0; n < plan.followers; n += 1) add(`followers-${n}`, ['worker', 'followers']);
    for (let n = 0; n < plan.edges; n += 1) {
      this.edges.push(new FleetEdge(this.keys, add(`edge-${n}`, ['edge', '--host', '127.0.0.1'])));
    }
  }

  /** The port of one edge, another each time. */
  get port(): number {
    this.#turn += 1;
    return this.edges[this.#turn % this.edges.length]?.port ?? 0;
  }

  async start(): Promise<void> {
    // the first alone: it makes topics, keyspace and the like, on which the others then agree
    const [first, ...others] = this.members;
    await first?.start();
    await Promise.all(others.map((member) => member.start()));
  }
  async remove(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
  /** The ends of all logs, for failures. */
  logs(): string {
    return this.members.map(({ name, process }) => `${name}: ${process.log.slice(-2_000)}`).join('\n');
  }

  override ingest(topic: string, records: readonly object[]): Promise<IngestAnswer> {
    return this.#patiently(() => super.ingest(topic, records));
  }
  override get<Answer>(path: string, user: string): Promise<Answer> {
    return this.#patiently(() => super.get(path, user));
  }
  async #patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (const until = Date.now() + patienceMs; ; ) {
      try {
        return await ask();
      } catch (error) {
        // refused by nobody but the network, or by an edge that waits for a worker
        const passing = error instanceof TypeError || /: 50[34] /.test(String(error));
        if (!passing || Date.now() > until) throw error;
        await delay(pauseMs);
      }
    }
  }
}

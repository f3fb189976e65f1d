import type { Bytecode } from 'gremlin';
import type { GremlinConnection } from './gremlin-connection.ts';
import { GremlinFault } from './gremlin-faults.ts';

/**
 * A bounded number of connections to one Gremlin server. The first is made at once and again whenever it is
 * lost, so that whether the server is there is known without a request; the others when there is work.
 */
export interface GremlinPool {
  /**
   * As GremlinConnection's; connects first where need be. `timeoutMs` is asked just before it is sent: what
   * it throws rejects, and nothing is sent.
   */
  submit(bytecode: Bytecode, timeoutMs: () => number): Promise<unknown[]>;
  close(): void;
}

export interface GremlinPoolSetup {
  connectionsMax: number;
  /** Requests under way on one connection before another is opened. */
  requestsPerConnection: number;
  reconnectFirstMs: number;
  reconnectLongestMs: number;
  open(onOver: (error: Error) => void): Promise<GremlinConnection>;
  /** A connection stands, and before none did. */
  onConnected(): void;
  /** None stands: what became of the last attempt to make one. */
  onLost(error: unknown): void;
  random(): number;
}

interface Slot {
  connection: GremlinConnection | null;
  opening: Promise<GremlinConnection> | null;
}

export function createGremlinPool(setup: GremlinPoolSetup): GremlinPool {
  const slots: Slot[] = Array.from({ length: setup.connectionsMax }, () => ({
    connection: null,
    opening: null,
  }));
  let closed = false;
  /** Attempts of the keeper that failed in a row. */
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  function openIn(slot: Slot): Promise<GremlinConnection> {
    if (closed) return Promise.reject(new Error('the graph is closed'));
    slot.opening ??= open(slot).finally(() => {
      slot.opening = null;
    });
    return slot.opening;
  }

  async function open(slot: Slot): Promise<GremlinConnection> {
    const wasLost = slots.every(({ connection }) => connection === null);
    let made: GremlinConnection | undefined;
    try {
      made = await setup.open(() => {
        if (slot.connection === made) slot.connection = null;
        keep();
      });
    } catch (error) {
      if (!closed && slots.every(({ connection }) => connection === null)) setup.onLost(error);
      throw error;
    }
    if (closed) {
      made.end();
      throw new Error('the graph is closed');
    }
    slot.connection = made;
    failures = 0;
    if (wasLost) setup.onConnected();
    return made;
  }

  /** Sees to it that one connection stands. */
  function keep(): void {
    if (closed || timer !== undefined || slots.some(({ connection }) => connection !== null)) return;
    openIn(slots[0]!).catch(() => {
      if (closed || timer !== undefined) return;
      const longest = Math.min(setup.reconnectLongestMs, setup.reconnectFirstMs * 2 ** failures++);
      timer = setTimeout(
        () => {
          timer = undefined;
          keep();
        },
        longest * (0.5 + setup.random() / 2),
      );
    });
  }

  /** The one with the least to do; another where all have enough. */
  function choose(): GremlinConnection | Promise<GremlinConnection> {
    let best: GremlinConnection | null = null;
    let free: Slot | null = null;
    for (const slot of slots) {
      if (slot.connection?.isOver()) slot.connection = null;
      const { connection } = slot;
      if (connection === null) free ??= slot;
      else if (best === null || connection.load() < best.load()) best = connection;
    }
    if (free !== null && (best === null || best.load() >= setup.requestsPerConnection)) {
      const opened = openIn(free);
      if (best === null) return opened;
      // Not waited for: the next request finds it. That it failed is heard of when none stands.
      opened.catch(() => undefined);
    }
    return best!;
  }

  keep();
  return {
    async submit(bytecode, timeoutMs) {
      const chosen = choose();
      const connection = chosen instanceof Promise ? await chosen : chosen;
      const limitMs = timeoutMs();
      try {
        return await connection.submit(bytecode, limitMs);
      } catch (error) {
        // The name may lead elsewhere by now: whoever asks next connects anew.
        if (error instanceof GremlinFault && error.isElsewhere) connection.retire();
        throw error;
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const { connection } of slots) connection?.end();
    },
  };
}

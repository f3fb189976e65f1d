import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The limit: a process in which uWebSockets.js sends given bytes and nothing else is done. */
export interface RawUws {
  readonly port: number;
  readonly pid: number;
  /** To every socket by `ws.send` in a loop, then by one publication; empty: not that way. */
  order(send: Uint8Array, publish: Uint8Array): void;
  stop(): void;
}
export interface RawOrder {
  /** In base64. */
  send: string;
  publish: string;
}

export async function startRawUws(): Promise<RawUws> {
  const child = fork(fileURLToPath(new URL('raw-uws-process.js', import.meta.url)), [], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    pid: child.pid!,
    order(send, publish) {
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
      child.send({ send: text(send), publish: text(publish) } satisfies RawOrder);
    },
    stop() {
      child.kill();
    },
  };
}

/**
 * Sockets that have lost a message and have not been told yet. Told outside of the library's own loops and
 * never inside `send` (the caller may be amid its own work, with bytes in a shared buffer).
 */
import type { SocketHandler } from './sockets.ts';

export interface Holed {
  /** A message was dropped and the handler has not been told; until then nothing more is sent. */
  holed: boolean;
  /** The drop came in the middle of a publication: what was published may wait in the library, behind it. */
  stray: boolean;
  /** The handler is being told. */
  telling: boolean;
  readonly handler: SocketHandler | null;
  bufferedBytes(): number;
}

export class Holes<S extends Holed> {
  private readonly waiting: S[] = [];
  private emptied: S[] = [];
  private readonly guard: (callback: () => void) => void;
  private flushing = false;
  private planned = false;

  /** `guard` runs a callback and reports what it throws. */
  constructor(guard: (callback: () => void) => void) {
    this.guard = guard;
  }

  get some(): boolean {
    return this.waiting.length > 0;
  }

  /** To be called at the drop; `flush` follows in the next turn at the latest. */
  note(socket: S, stray: boolean): void {
    if (socket.holed || socket.telling || socket.handler === null) return;
    socket.holed = true;
    socket.stray = stray;
    this.waiting.push(socket);
    this.plan();
  }

  flush(): void {
    if (this.flushing) return;
    this.flushing = true;
    for (let socket = this.waiting.pop(); socket !== undefined; socket = this.waiting.pop())
      this.tell(socket);
    this.flushing = false;
  }

  private tell(socket: S): void {
    socket.holed = false;
    const { handler } = socket;
    if (handler === null) return;
    socket.telling = true;
    this.guard(() => handler.onDropped());
    socket.telling = false;
    socket.stray = false;
    if (socket.handler !== handler || socket.bufferedBytes() > 0) return;
    // The buffer emptied before the call: no event of it will come after.
    this.emptied.push(socket);
    this.plan();
  }

  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      this.flush();
      const drained = this.emptied;
      this.emptied = [];
      for (const socket of drained) this.guard(() => socket.handler?.onDrain());
    });
  }
}

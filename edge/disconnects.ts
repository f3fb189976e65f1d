/** A back end ends a user's sockets wherever they are: every edge that shares the bus hears of it. */
import type { Bus } from '../channels/bus/bus.ts';
import type { Live } from './live.ts';

const topic = 'x:disconnect';
const reason = 'A back end ended the sockets of this user.';

export interface Disconnects {
  /** Resolves when the bus has it. */
  tell(user: string): Promise<void>;
  close(): void;
}

export async function createDisconnects(bus: Bus, live: Pick<Live, 'disconnectUser'>): Promise<Disconnects> {
  const stop = await bus.subscribe(topic, (bytes) => {
    live.disconnectUser(new TextDecoder().decode(bytes), reason);
  });
  return {
    tell: (user) => bus.publish(topic, new TextEncoder().encode(user)),
    close: stop,
  };
}

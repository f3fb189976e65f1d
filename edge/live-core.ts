import type { Logger } from 'pino';
import type { Clock } from '../channels/clock.ts';
import type { Demand } from '../channels/contest/demand.ts';
import type { Hub } from '../channels/hub/hub.ts';
import type { Codec } from '../proto/codec.ts';
import type { LiveOptions } from './live-options.ts';
import type { LiveStats } from './live-stats.ts';
import type { RanksWriter } from './views/ranks-writer.ts';
import type { StateChannel } from './views/state-channel.ts';
import type { WhoQueue } from './views/who-queue.ts';

/** What sessions and channels of one edge share. */
export interface LiveCore {
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly stats: LiveStats;
  readonly logger: Logger;
  readonly hub: Hub;
  readonly demand: Demand;
  readonly who: WhoQueue;
  readonly ranks: RanksWriter;
  readonly codecs: { readonly binary: Codec; readonly text: Codec };
  publish(topic: string, bytes: Uint8Array, binary: boolean): void;
  nextNo(): number;
  /** The channel that is kept for this name, made if need be. Throws ServiceError when there is no room. */
  stateChannel(kind: 'contest' | 'match', id: string): StateChannel;
  /** Nobody is on the channel any more. */
  rest(channel: StateChannel): void;
  /** The channel must not be joined again: its name is unknown. */
  forget(channel: StateChannel): void;
}

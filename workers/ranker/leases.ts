/**
 * Who wants which channels until when. A channel is wanted while any edge's lease on it lasts; an edge that
 * stops renewing is forgotten without having to say goodbye.
 */
export interface Leases {
  /**
   * Grants or renews. `new`: nobody wanted the channel before. `full`: the edge has as many as it may, and
   * nothing was granted (renewals are always granted).
   */
  grant(edge: string, channel: string, until: number): 'new' | 'held' | 'full';
  holds(edge: string, channel: string): boolean;
  wanted(channel: string): boolean;
  /** Ends what has run out; answers the channels that nobody wants any more. */
  expire(now: number): string[];
  /** Ends all leases on a channel. */
  drop(channel: string): void;
  /** Wanted channels, in the order they came to be wanted. */
  channels(): Iterable<string>;
  /** Free places of an edge. */
  room(edge: string): number;
  readonly size: number;
}

export function createLeases(wantedPerEdgeMax: number): Leases {
  const channels = new Map<string, Map<string, number>>();
  const perEdge = new Map<string, number>();

  function count(edge: string, by: 1 | -1): void {
    const now = (perEdge.get(edge) ?? 0) + by;
    if (now === 0) perEdge.delete(edge);
    else perEdge.set(edge, now);
  }
  function end(channel: string, holders: Map<string, number>, edge: string): void {
    holders.delete(edge);
    count(edge, -1);
    if (holders.size === 0) channels.delete(channel);
  }

  return {
    grant(edge, channel, until) {
      const holders = channels.get(channel);
      const held = holders?.get(edge);
      if (holders !== undefined && held !== undefined) {
        holders.set(edge, Math.max(held, until));
        return 'held';
      }
      if ((perEdge.get(edge) ?? 0) >= wantedPerEdgeMax) return 'full';
      count(edge, 1);
      if (holders !== undefined) {
        holders.set(edge, until);
        return 'held';
      }
      channels.set(channel, new Map([[edge, until]]));
      return 'new';
    },
    holds: (edge, channel) => channels.get(channel)?.has(edge) ?? false,
    wanted: (channel) => channels.has(channel),
    expire(now) {
      const freed: string[] = [];
      for (const [channel, holders] of channels) {
        for (const [edge, until] of holders) {
          if (until <= now) end(channel, holders, edge);
        }
        if (holders.size === 0) freed.push(channel);
      }
      return freed;
    },
    drop(channel) {
      const holders = channels.get(channel);
      for (const edge of holders?.keys() ?? []) end(channel, holders!, edge);
    },
    channels: () => channels.keys(),
    room: (edge) => wantedPerEdgeMax - (perEdge.get(edge) ?? 0),
    get size() {
      return channels.size;
    },
  };
}

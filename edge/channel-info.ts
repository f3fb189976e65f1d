import type { LiveChannelInfo } from './live.ts';

/** What all edges know of a channel, together. */
export interface ChannelInfo extends LiveChannelInfo {
  /** Edges whose sockets are counted. */
  edges: number;
  /** Edges that are known and did not answer in time: their sockets are missing. */
  silentEdges: number;
}

/** `answers`: of one edge at least. */
export function mergeChannelInfo(answers: readonly LiveChannelInfo[], silentEdges: number): ChannelInfo {
  const newest = answers.reduce((best, each) =>
    (each.position ?? -1) > (best.position ?? -1) ? each : best,
  );
  const subscribers = answers.reduce((sum, each) => sum + each.subscribers, 0);
  return { ...newest, subscribers, edges: answers.length, silentEdges };
}
